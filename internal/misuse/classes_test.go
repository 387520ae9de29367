package misuse

import (
	"strings"
	"testing"
)

// A class is a mistake that can be made with Gorgonia and its tensors, with the mistakes here that are of its kind, as
// "area: name", or the reason why it cannot be made with the operations of this module. Gorgonia's own, which graph.Apply
// lets in, stay as Gorgonia has made them: two of its slices whose bounds are alike modulo 256 are one node there too.
type class struct {
	mistake string
	here    string // several are separated by semicolons
	reason  string
}

// classes are 153 such mistakes, in groups.
var classes = []struct {
	group string
	count int
	list  []class
}{
	{"making tensors", 11, []class{
		{"data shorter than the shape", "run: numbers too few", ""},
		{"data longer than the shape", "run: numbers of another shape", ""},
		{"a shape of another rank than is used", "run: numbers of another rank", ""},
		{"a length of 0", "graph: Tokens of no length", ""},
		{"a negative length", "graph: Input of a negative length; params: negative length", ""},
		{"a size that overflows", "graph: Input whose size overflows; params: size overflows", ""},
		{"more memory than there is", "params: too large to exist", ""},
		{"a type that is no number", "graph: Input of complex numbers; graph: DType of truths", ""},
		{"no type", "graph: Input of no type", ""},
		{"a nil tensor", "run: a nil tensor; run: a nil Dense", ""},
		{"a tensor that was never filled", "run: a zero Dense", ""},
	}},
	{"operations on tensors", 34, []class{
		{"Add of shapes that differ", "graph: Add of lengths that do not broadcast", ""},
		{"Sub of shapes that differ", "graph: Sub of batches that differ", ""},
		{"Mul of shapes that differ", "graph: Mul of a transposed one", ""},
		{"Add of types that differ", "graph: float32 in a graph of float64", ""},
		{"arithmetic on integers where numbers are meant", "graph: Add of ids to themselves", ""},
		{"a product of inner lengths that differ", "graph: MatMul of inner lengths", ""},
		{"a product of ranks that differ", "graph: MatMul of ranks that differ", ""},
		{"a product of batches that differ", "graph: MatMul of batches that differ", ""},
		{"a product of a vector where a matrix is meant", "graph: MatMul of a vector; graph: Linear of a vector for a weight", ""},
		{"a product with a scalar", "graph: Linear of a scalar", ""},
		{"a product of integers", "graph: MatMul of ids", ""},
		{"a product with nothing", "graph: Gorgonia's Mul of nothing", ""},
		{"a sum over an axis that is not there", "graph: Sum over an axis too far", ""},
		{"a sum over a negative axis", "graph: Mean over a negative axis", ""},
		{"a sum over an axis twice", "graph: Sum over an axis twice", ""},
		{"a sum over an axis of a scalar", "graph: Sum of a scalar over an axis", ""},
		{"a mean of truths", "graph: Mean of truths", ""},
		{"a transposition with an axis that is not there", "graph: Transpose of an axis too far", ""},
		{"a transposition with a negative axis", "graph: Transpose of a negative axis", ""},
		{"a transposition with too many axes", "graph: Transpose of too many axes", ""},
		{"a reshape to another size", "graph: Gorgonia's Reshape; graph: Reshape that leaves a rest", ""},
		{"a reshape to negative lengths", "graph: Reshape to a negative length", ""},
		{"a reshape to a scalar", "graph: Reshape to a scalar", ""},
		{"a slice beyond the end", "graph: Gorgonia's Slice beyond the end", ""},
		{"a slice whose start is behind its end", "", "there is no slice of nodes; one of Gorgonia's own comes in by Apply, which turns its panic into an error"},
		{"a view where plain memory is meant", "run: a slice of a larger tensor; optim: a gradient that is a view", ""},
		{"a sparse tensor", "run: a sparse tensor", ""},
		{"a masked tensor", "run: a masked tensor", ""},
		{"a concatenation of ranks that differ", "graph: Gorgonia's Concat of ranks that differ", ""},
		{"a softmax of integers", "graph: Softmax of ids", ""},
		{"a softmax over an axis that is not there", "", "a softmax is over the last axis"},
		{"a log-softmax of a scalar", "graph: LogSoftmax of a scalar", ""},
		{"rows chosen by an index that is too large", "run: an id too large; run: an id far too large", ""},
		{"rows chosen by a negative index", "run: a negative id", ""},
	}},
	{"decoding", 12, []class{
		{"no bytes", "files: no bytes; files: ReadSnapshot of nothing", ""},
		{"another format", "files: a pickle", ""},
		{"a file cut short", "files: a file cut short", ""},
		{"a file that is not there", "files: a file that is not there", ""},
		{"a folder in place of a file", "files: a folder in place of a file", ""},
		{"a tensor of another shape", "files: a parameter of another shape", ""},
		{"a tensor of another type", "files: ReadSnapshot of another type", ""},
		{"a tensor too many", "files: a parameter too many in the file", ""},
		{"a tensor too few", "files: a parameter too few in the file", ""},
		{"two tensors of one name", "files: two tensors under one name", ""},
		{"a header that claims more memory than there is", "models: GGUF of tensors without end; models: llama2.c's of sizes that overflow", ""},
		{"a file of a later version", "models: llama2.c's of a later version; models: GGUF of another version", ""},
	}},
	{"making nodes", 6, []class{
		{"a node without a name", "params: no name", ""},
		{"two inputs of one name", "graph: Tokens named as a parameter; compile: an error of building", ""},
		{"two parameters of one name", "graph: two parameters of one name", ""},
		{"an initial value of another shape or type", "", "an Init draws the numbers one by one and knows neither shape nor type"},
		{"an initial value that panics or is NaN", "params: Init that panics; params: Init of NaN", ""},
		{"a node in no graph", "graph: the zero Graph; graph: Sum of no node", ""},
	}},
	{"giving values to inputs", 8, []class{
		{"another shape", "run: numbers of another shape", ""},
		{"another rank of the same size", "run: ids of one axis", ""},
		{"another type of number", "run: numbers of float64; run: Let of another type", ""},
		{"numbers for ids", "run: ids as numbers", ""},
		{"nothing", "run: a nil tensor", ""},
		{"a value for a node that is no input", "run: a value for a result; run: a value for a parameter", ""},
		{"a value for a node of another graph", "run: the feed of another graph", ""},
		{"a value for no node", "run: a value for no node", ""},
	}},
	{"building graphs", 50, []class{
		{"operands of two graphs", "graph: Sub from another graph", ""},
		{"a nil operand", "graph: Linears with a zero weight; graph: Attention without keys", ""},
		{"a bias of another length", "graph: Linear with a bias too long", ""},
		{"a bias of another graph", "graph: Linear with the bias of another graph", ""},
		{"a norm with a gain of another length", "graph: RMSNorm gain; graph: LayerNorm gain", ""},
		{"a norm with a shift of another length", "graph: LayerNorm shift", ""},
		{"a norm of a scalar", "graph: RMSNorm of a scalar", ""},
		{"a norm of integers", "graph: RMSNorm of ids", ""},
		{"a norm with groups that do not divide", "", "there is no norm of groups"},
		{"an eps that is negative or no number", "graph: LayerNorm eps negative; graph: LayerNorm eps NaN; graph: RMSNorm eps infinite", ""},
		{"a factor that is infinite", "graph: Scale by infinity", ""},
		{"a dropout below 0", "graph: Dropout negative", ""},
		{"a dropout of all or more", "graph: Dropout of all", ""},
		{"a dropout of integers", "graph: Dropout of ids", ""},
		{"an activation of integers", "graph: ReLU of ids; graph: GELU of ids", ""},
		{"an activation of truths", "graph: GELUTanh of truths", ""},
		{"a gate of another length", "graph: SwiGLU of another length", ""},
		{"a gate of an odd length", "graph: SwiGLUPacked of an odd length", ""},
		{"a gate of integers", "graph: SwiGLU of ids", ""},
		{"an embedding in a vector", "graph: Embedding in a vector", ""},
		{"an embedding in integers", "graph: Embedding in ids", ""},
		{"an embedding of what are no ids", "graph: Embedding of truths", ""},
		{"positions too few", "graph: Positions too few", ""},
		{"positions of another width", "graph: Positions of another width", ""},
		{"attention of another rank", "graph: Attention of matrices", ""},
		{"attention of batches that differ", "graph: Attention of batches that differ", ""},
		{"attention of widths that differ", "graph: Attention of widths that differ", ""},
		{"attention of heads that do not divide", "layers: Attention of heads that do not divide", ""},
		{"attention with a mask of another shape", "graph: Attention mask of a batch too many", ""},
		{"attention with a mask of another type", "graph: Attention mask of ids", ""},
		{"a scale that is no number", "graph: Attention scale", ""},
		{"a broadcast over a pattern that does not fit", "", "there are no patterns: axes broadcast from the last one on, or the shapes are an error, as in the first class of tensors"},
		{"a broadcast over an axis beyond the fourth", "", "there are no patterns"},
		{"two constants that print alike", "", "there are no constants: numbers are settings of operations"},
		{"two slices that hash alike", "", "there is no slice of nodes, and each operation has a number of its own in its hash"},
		{"a reshape that shares the memory of a weight", "", "operations write to no operand, those of Gorgonia included, which have no other memory given to them"},
		{"an operation that is unstable, such as the logarithm of a softmax", "", "LogSoftmax is an operation, and no node is rewritten"},
		{"a function that returns no node", "graph: Apply that returns nothing", ""},
		{"a function that returns the node of another graph", "graph: Apply that returns another graph's", ""},
		{"a function that fails", "graph: Apply that fails", ""},
		{"a function that panics", "graph: Apply that writes to nil; graph: Checkpoint that panics", ""},
		{"no function", "graph: Apply2 without a function; graph: Apply3 without a function", ""},
		{"a loss without targets", "loss: no targets", ""},
		{"a loss without logits", "loss: no logits", ""},
		{"a loss with targets of numbers", "loss: targets of numbers", ""},
		{"a loss with targets and logits turned round", "loss: targets and logits turned round", ""},
		{"a loss with targets of another graph", "loss: targets of another graph", ""},
		{"a loss with weights too many", "loss: class weights too many; loss: row weights too many", ""},
		{"a loss with a setting that is no number", "loss: smoothing NaN; loss: z-loss infinite", ""},
		{"a reduction that does not exist", "loss: reduction negative; loss: preference reduction", ""},
	}},
	{"gradients", 6, []class{
		{"a cost that is no scalar", "compile: cost of a matrix", ""},
		{"a cost of integers", "compile: cost of ids", ""},
		{"a cost that depends on no parameter", "compile: cost without parameters", ""},
		{"a cost through an operation without a gradient", "compile: a cost with no gradient; compile: a cost with no gradient in Gorgonia", ""},
		{"a gradient with respect to what the cost does not see", "params: gradient of a parameter that the cost does not see", ""},
		{"a second gradient in one graph", "", "a graph may have the gradients of any number of costs; graph's TestTwoCosts compares them"},
	}},
	{"running", 13, []class{
		{"an input without a value", "run: nothing; run: RunAll without values", ""},
		{"a machine of nothing", "run: the zero Program; run: RunAll of the zero Program", ""},
		{"an empty graph", "compile: second output of no graph", ""},
		{"outputs of two graphs", "compile: output of another graph beside a cost", ""},
		{"NaN in an input", "run: NaN", ""},
		{"infinity in an input", "run: infinity", ""},
		{"an index out of range", "run: an id too large; run: a negative id", ""},
		{"a target out of range", "run: a target too large; run: a negative target", ""},
		{"a value after a run that failed", "run: a value after an error; run: a gradient after an error", ""},
		{"a value of a node that is no output", "run: a value that is no output", ""},
		{"a run after the end of its context", "run: a context that has ended", ""},
		{"a run of a machine that is closed or was not reset", "", "Close does nothing, and runs need no Reset"},
		{"one machine on several goroutines", "run: a run during a run", ""},
	}},
	{"optimizers", 13, []class{
		{"no parameters", "optim: no parameters", ""},
		{"a nil parameter", "optim: a nil parameter", ""},
		{"a parameter twice", "optim: a parameter twice", ""},
		{"a parameter without a value", "optim: a parameter without a value", ""},
		{"no gradient", "optim: no gradient; optim: a step before a run", ""},
		{"a gradient of another shape", "optim: a gradient of another shape", ""},
		{"a gradient of another type", "optim: a gradient of another type", ""},
		{"a gradient of NaN", "optim: a gradient of NaN", ""},
		{"an infinite gradient", "optim: an infinite gradient", ""},
		{"a rate that is negative or no number", "optim: learning rate negative; optim: learning rate NaN", ""},
		{"a beta outside of [0, 1)", "optim: beta1 of 1; optim: beta2 negative", ""},
		{"an eps, decay or norm that is negative", "optim: eps negative; optim: weight decay negative; optim: norm negative", ""},
		{"a batch size of 0", "", "optimizers divide by no batch size: the loss is the mean already"},
	}},
}

// TestClasses checks that every class has a mistake that is made here, or a reason why it has none.
func TestClasses(t *testing.T) {
	short := map[string]string{
		"building graphs": "graph", "parameters": "params", "compiling": "compile", "feeding and running": "run", "checkpoints": "files",
		"layers and configs": "layers", "model files": "models", "losses": "loss", "optimizers": "optim",
	}
	made := make(map[string]bool)
	for _, a := range areas {
		for _, m := range a.mistakes(t) {
			made[short[a.name]+": "+m.name] = true
		}
	}
	all, covered := 0, 0
	seen := make(map[string]bool)
	for _, g := range classes {
		if len(g.list) != g.count {
			t.Errorf("%s: %d classes, want %d", g.group, len(g.list), g.count)
		}
		for _, c := range g.list {
			if all++; seen[g.group+c.mistake] {
				t.Errorf("class %d, %s: %s is there twice", all, g.group, c.mistake)
			}
			seen[g.group+c.mistake] = true
			if (c.here == "") == (c.reason == "") {
				t.Errorf("class %d, %s: %s has neither a mistake nor a reason, or both", all, g.group, c.mistake)
			}
			if c.here == "" {
				t.Logf("class %d, %s: %s: %s", all, g.group, c.mistake, c.reason)
				continue
			}
			covered++
			for _, name := range strings.Split(c.here, "; ") {
				if !made[name] {
					t.Errorf("class %d, %s: %s: there is no mistake %q", all, g.group, c.mistake, name)
				}
			}
		}
	}
	t.Logf("%d classes: %d have mistakes here, %d cannot be made", all, covered, all-covered)
	if all != 153 {
		t.Errorf("%d classes, want 153", all)
	}
}
