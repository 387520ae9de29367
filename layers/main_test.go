package layers_test

import (
	"testing"

	"go.uber.org/goleak"
)

// No test leaves a goroutine behind, but for the helpers of package kernel, which wait for the next operation.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/logits-go/logits/internal/kernel.(*team).help"))
}
