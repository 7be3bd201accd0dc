package metric_test

import (
	"fmt"

	"github.com/weft-ml/weft/core/metric"
)

// A confusion matrix over two batches, and what follows from it.
func ExampleConfusion() {
	c := metric.NewConfusion(2)
	if err := c.Update([]int64{0, 1, 1}, []int64{0, 1, 0}); err != nil {
		fmt.Println(err)
	}
	if err := c.Update([]int64{1}, []int64{1}); err != nil {
		fmt.Println(err)
	}
	fmt.Println(c.Result(), c.Accuracy())
	fmt.Printf("F1 of class 1: %.2f\n", c.PerClass()[1].F1)
	// Output:
	// [[1 1] [0 2]] 0.75
	// F1 of class 1: 0.80
}
