// Package graph builds, differentiates and runs symbolic graphs of tensors on Gorgonia.
//
// A [Graph] is a blueprint: operations on a [Node] add to it and compute nothing. Errors stick, as in [bufio.Writer]:
// after the first one every operation does nothing, and [Compile] reports it. Code that builds a graph therefore reads
// as the formula it implements:
//
//	x = x.Add(attn.Forward(norm.Forward(x)))
//
// A [Param] is a named tensor that training changes. It belongs to no graph: graphs that use it share its storage, so
// a graph built for training, one for validation and one that generates always agree, without copies.
//
// [Compile] readies a graph to compute some of its nodes, [CompileTrain] also to compute the gradient of a scalar node
// for every parameter it depends on. The [Program] they return runs on the goroutine of its caller, plans its memory
// once, and reports what goes wrong as an error that names the operation, the layer and the shapes.
//
// # Generating
//
// A graph made with [Decode] generates: attention keeps the keys and values of earlier runs, and positions count on.
// Layers need know nothing of this. A [Decoder] drives such a graph for one text, a [BatchDecoder] for several of
// different lengths; decoders of one model may run at the same time, and a text may be forked. The logits of a token have
// the same bits whether its text comes token by token or as a prompt, alone or beside others. [Parity] compares a model
// that generates with the same model on whole texts. With [Int8] weights have eight bits.
//
// # Saving
//
// [Params.Save] and [Params.Load] keep the parameters of a model in a file. A [Snapshot] is what training needs beside
// them to go on where it was, and an [Archive] is a folder of the newest snapshots that loses none of them when the
// program or the machine ends at any moment:
//
//	a := graph.Archive{Folder: graph.Dir("runs/a/checkpoints")}
//	_, err := a.Save(params, graph.Snapshot{
//		Step: state.Step, Tensors: state.Tensors, // of an optim.State
//		Counts: map[string]uint64{"runs": prog.Runs()},
//	})
//
// # NaN
//
// Where a cost or a gradient is NaN or infinite, the optimizers of package optim refuse the step, and some losses refuse
// the logits. [Program.Diagnose] then runs the step again and names the operation, parameter or input that it comes from.
//
// # Gorgonia
//
// The graph underneath is an ordinary Gorgonia graph, and the operations are ordinary Gorgonia ops with gradients.
// [Graph.Gorgonia] and [Node.Gorgonia] hand them out, [Graph.Wrap], [Apply] and [Apply2] take Gorgonia's own nodes and
// functions in, and a Program is a [gorgonia.VM]. Some operations of Gorgonia v0.9.18 are silently wrong (SoftMax over
// rows that differ much, Slice beyond 255, the gradient of InverseSqrt, among others); none of them lies behind the
// methods of Node.
//
// Gorgonia's tape machine computes the same bits from a graph as a Program does, with one exception. A Program lets a
// product, or the gradient of a norm, add up the sum that it is part of, where the tape machine adds in a step of its own.
// That rounds otherwise, so such sums and what follows from them may differ in the last bits. They may also between
// programs of which one has the product among its outputs, since it is a step by itself there. A program alone is
// deterministic: the same values have the same bits in every run, at any number of threads.
package graph
