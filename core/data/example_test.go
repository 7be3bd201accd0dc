package data_test

import (
	"context"
	"fmt"

	"github.com/weft-ml/weft/core/data"
)

// Two epochs of shuffled batches over four samples.
func ExampleLoader() {
	src, err := data.NewMemory(data.Spec{Shape: []int{1}, Classes: 2}, []float32{1, 2, 3, 4}, []int64{0, 1, 0, 1}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	l, err := data.NewLoader(src, data.Options{BatchSize: 3, Shuffle: true, Seed: 1, Prefetch: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	for range 2 {
		sum := float32(0)
		for b, err := range l.Epoch(context.Background()) {
			if err != nil {
				fmt.Println(err)
				return
			}
			for _, x := range b.X {
				sum += x
			}
			fmt.Println(b.Epoch, b.Index, b.N, b.Last)
		}
		fmt.Println("sum", sum)
	}
	// Output:
	// 0 0 3 false
	// 0 1 1 true
	// sum 10
	// 1 0 3 false
	// 1 1 1 true
	// sum 10
}
