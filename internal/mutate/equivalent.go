package main

// equivalents says why mutants that no test catches do what the original does. They are named by function, expression and
// operator.
var equivalents = map[string]string{}
