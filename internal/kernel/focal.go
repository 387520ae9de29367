package kernel

import "math"

// The focal loss of Lin et al. makes (1-p)**γ·cost of the cost -log p of a target. What follows depends on the cost alone,
// so that 1-p keeps its digits where p is near 1.

// focalFactor returns (1-p)**gamma for p = e**-cost.
func focalFactor(cost, gamma float64) float64 { return math.Pow(missed(cost), gamma) }

// focalSlope returns the derivative of (1-p)**gamma·cost with respect to cost, for gamma > 0. It is
// (1-p)**gamma·(1 + gamma·p·cost/(1-p)), whose last quotient goes to 1 with cost to 0 and to 0 with cost to infinity.
func focalSlope(cost, gamma float64) float64 {
	q := missed(cost)
	switch {
	case q == 0:
		return 0
	case math.IsInf(cost, 1):
		return 1
	}
	return math.Pow(q, gamma) * (1 + gamma*math.Exp(-cost)*cost/q)
}

// missed returns 1-p for p = e**-cost. Rounding may make a cost slightly negative.
func missed(cost float64) float64 { return max(0, -math.Expm1(-cost)) }
