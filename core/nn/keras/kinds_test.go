package keras

import (
	"slices"
	"testing"
)

// Every kind that is listed exists, and the list is sorted.
func TestKinds(t *testing.T) {
	if !slices.IsSorted(Kinds()) {
		t.Error("the list is not sorted")
	}
	for _, k := range Kinds() {
		if k != "inputLayer" && kindOf(k) == nil {
			t.Errorf("%s does not exist", k)
		}
	}
	if kindOf("convLSTM2d") != nil {
		t.Error("a kind that is not there")
	}
}
