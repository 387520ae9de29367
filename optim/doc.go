// Package optim changes weights by their gradients.
//
// It works on [gorgonia.ValueGrad], so it trains any Gorgonia graph: [AdamW], [Adam] and [SGD] are Gorgonia solvers.
// Their zero values are PyTorch's defaults. A learning rate is a [Schedule]; MaxNorm limits the norm of all gradients
// together, in the pass that takes the step.
//
//	opt := &optim.AdamW{LR: optim.Constant(3e-4), MaxNorm: 1}
//	...
//	err := opt.Step(weights)
//	norm := opt.GradNorm()
//
// [ClipGradNorm] does the same to the gradients themselves, for those who look at them between.
//
// Nothing changes unless everything can: a gradient that is missing, misshapen, NaN or infinite is an error that names
// the parameter and leaves all weights and the optimizer as they were. [NonFiniteError] tells the last two from the rest.
//
// Step leaves gradients as they are. A program of package graph overwrites them in its next run; Gorgonia's tape
// machine adds to them, so call [ZeroGrad] after Step there.
//
// The results have the same bits at any number of threads, and what an optimizer remembers can be taken out with State
// and put back with SetState, after which it goes on with the same bits.
package optim
