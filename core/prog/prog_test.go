package prog

import (
	"testing"
	"unsafe"
)

func TestStepBytes(t *testing.T) {
	if n := unsafe.Sizeof(Step{}); n != StepBytes {
		t.Errorf("a Step takes %d bytes; StepBytes says %d", n, StepBytes)
	}
}
