//go:build !race

package layers_test

const raceDetector = false
