// Package faults makes the files of a graph.Archive fail, for tests: any single call, a full disk, a machine that loses
// power.
package faults
