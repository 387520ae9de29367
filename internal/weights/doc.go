// Package weights holds what file formats of models have in common: tensors in memory that a file is mapped to, and
// numbers of more types than models run in.
package weights
