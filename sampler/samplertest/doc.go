// Package samplertest proves samplers: it says, slowly and plainly, which tokens and probabilities a sampler's
// distribution has by definition, and checks that a sampler draws with just these.
//
// [Reference] is every step of package sampler by its definition, with sorts and sums of float64, and shares no
// code with it. The checks look at nothing but a function that draws a token for a number u in [0, 1), so they
// serve any sampler that draws so: [Stratified] wants every token as often as its probability says, to within
// one draw, without any statistics; [Reachable] wants every token that can be drawn, and no other; [GTest] is for
// samplers whose random numbers cannot be chosen.
package samplertest
