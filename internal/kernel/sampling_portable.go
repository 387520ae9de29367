//go:build !amd64 || purego

package kernel

func above32([]float32, float32) int { return 0 }

func list32(ids []int32, _ []float32, _ float32) ([]int32, int) { return ids, 0 }

func weigh32([]float64, []float32, float64, float64, *[4]float64) int { return 0 }

func weigh64([]float64, []float64, float64, float64, *[4]float64) int { return 0 }

func roughSums([]float64, []float32, rough) bool { return false }

func roughWeights([]float32, []float32, rough) bool { return false }

func listValues32(ids []int32, values []float64, _ []float32, _ float32) ([]int32, []float64, int) {
	return ids, values, 0
}

func count32([]float32, float32) (count, looked int) { return 0, 0 }

// CanSelect reports whether SumAbove, Keep and Between are much faster than loops in Go.
func CanSelect() bool { return false }

func sumAbove32(x, w []float32, limit float32) (sum float64, count, looked int) { return 0, 0, 0 }

func keep64(ids []int32, x, w []float64, limit float64) (kept, looked int) { return 0, 0 }

func sumAbove64(x, w []float64, limit float64) (sum float64, count, looked int) { return 0, 0, 0 }

func between32(dstX, dstW, x, w []float32, lo, hi float32) (kept, looked int) { return 0, 0 }

func between64(dstX, dstW, x, w []float64, lo, hi float64) (kept, looked int) { return 0, 0 }
