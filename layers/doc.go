// Package layers provides the layers of Transformer language models.
//
// A layer is a struct of parameters and holds no graph: Forward adds the layer to the graph of its input, so one layer
// serves a graph that trains and one that generates alike. Parameters have the names of PyTorch's state dicts, such as
// "layers.0.attn.q_proj.weight", and weight matrices are (out, in).
//
// The zero values of [Config] give the model of Stanford's CS336 and of Llama: pre-norm RMSNorm, rotary positions,
// SwiGLU and no biases. Other fields choose the parts of GPT-2 and of what lies between. A model of another kind is a
// function that calls layers, and methods of [graph.Node], in another order.
//
// [Open] reads models with their weights, whether trained here or with Hugging Face's Transformers, llama2.c or
// llama.cpp, and [Export] writes them for all of these.
package layers
