// Package op holds the Gorgonia operations behind graph, layers and loss.
//
// Every operation is an ordinary [gorgonia.SDOp], so it mixes with Gorgonia's own and runs in its tape machine. The
// executor of package graph runs it through [Op.Run] instead, in memory of the executor's choosing. Constructors check
// operands when the graph is built and return errors that name the operation and the shapes; what can only be seen
// when a graph runs, such as a token outside the vocabulary, is an error of the run. Nothing panics.
//
// An operation may have several results. The first is the value of its node; [Part] makes nodes of the others. That is
// how a forward pass hands what it saved to the backward pass, and how one backward pass yields several gradients.
package op
