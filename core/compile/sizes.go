package compile

import (
	"math"

	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
)

// Sizes and strides in steps are 32-bit numbers.

// checkSizes fails, naming the operator and the shapes, where the node's steps cannot count the elements of an operand, but for kernels whose
// operands may be larger (prog.Kernel.Large).
func (l *lowering) checkSizes(steps []prog.Step) {
	for i := range steps {
		if !steps[i].Kernel.Large {
			for _, ids := range [2][]int32{l.o.in, l.o.out} {
				for _, v := range ids {
					if v >= 0 && tensor.Size(l.m.types[v].Shape) > math.MaxInt32 {
						l.tooLarge()
					}
				}
			}
			return
		}
	}
}

func (l *lowering) tooLarge() {
	e := tensor.Err(l.o.n.Describe(), "a size or stride is larger than the ", math.MaxInt32, " that a step can count")
	for _, ids := range [2][]int32{l.o.in, l.o.out} {
		for _, v := range ids {
			if v >= 0 {
				e.Shapes = append(e.Shapes, l.m.types[v].Shape)
			}
		}
	}
	panic(e)
}
