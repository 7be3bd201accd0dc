package data_test

import (
	"testing"

	"github.com/weft-ml/weft/core/data"
)

func TestConcat(t *testing.T) {
	part := func(classes int, x []float32, y ...int64) data.Source {
		m, err := data.NewMemory(data.Spec{Shape: []int{2}, Classes: classes}, x, y, nil)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	a, b := part(2, []float32{1, 2, 3, 4}, 0, 1), part(3, []float32{5, 6}, 2)
	c, err := data.NewConcat(a, b, a)
	if err != nil || c.Len() != 5 || c.Spec().Classes != 3 {
		t.Fatalf("%v", err)
	}
	x := make([]float32, 2)
	for i, want := range []float32{1, 3, 5, 1, 3} {
		class, err := c.Read(0, i, x, nil)
		k, ok := c.Class(i)
		if err != nil || x[0] != want || !ok || k != class || class != []int64{0, 1, 2, 0, 1}[i] {
			t.Errorf("sample %d: %v, class %d, %v", i, x, class, err)
		}
	}
	other, err := data.NewMemory(data.Spec{Shape: []int{1}, Classes: 2}, []float32{1}, []int64{0}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := data.NewConcat(a, other); err == nil {
		t.Error("samples of different shapes are joined")
	}
	if _, err := data.NewConcat(); err == nil {
		t.Error("nothing is joined")
	}
}
