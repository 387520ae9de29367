package kernel

import (
	"os"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// The paths a product can take, from the slowest to the fastest.
const (
	pathPortable = "portable" // Go alone
	pathAVX2     = "avx2"     // assembly for AVX2 and FMA
	pathAVX512   = "avx512"   // assembly for AVX-512 F, BW, DQ and VL
)

// pathVariable is the environment variable that forces a path.
const pathVariable = "LOGITS_KERNEL"

var activePath, errActivePath = choosePath(os.Getenv(pathVariable), supportedPaths())

// Path returns the name of the kernels that run: "portable", "avx2" or "avx512". They are the fastest that the
// processor and the build support unless the environment variable LOGITS_KERNEL names others. If it names none that
// are supported, the portable ones run and the error says so; whoever builds a program on kernels reports it.
//
// The paths avx2 and avx512 give the same bits, portable differs from them by rounding.
func Path() (name string, err error) { return activePath, errActivePath }

// choosePath returns the path that want names, or the last supported one if want is empty.
func choosePath(want string, supported []string) (string, error) {
	switch {
	case want == "":
		return supported[len(supported)-1], nil
	case slices.Contains(supported, want):
		return want, nil
	}
	return pathPortable, errors.Errorf("kernel: environment variable %s is %q; supported here: %s",
		pathVariable, want, strings.Join(supported, ", "))
}
