package vecir

// A RowKernel works on every row of matrices of n columns, in passes over a row, which stays in the first-level cache, and with a few
// numbers worked out between them. Its arguments are simd's rowArgs.
type RowKernel struct {
	Name, Doc string
	Slot      string
	Ins, Outs int
	Shared    uint  // bit per input: the same n elements for every row
	Given     int   // scalar arguments that the caller sets, from number 0 on
	Before    []int // scalar arguments that are read for every row, from lists in this order
	Stats     int   // numbers that are kept of every row
	Passes    []Pass
}

// A Pass is one loop over a row, and what is worked out after it.
type Pass struct {
	Kernel                        // its loop; inputs, outputs and scalar arguments are the row kernel's
	after  func(b *Body, r *Node) // of a reduction: takes its result
}

// After returns the operations that follow the pass; the result of the reduction is an OpAcc.
func (p *Pass) After() *Body {
	b := newBody()
	if p.after != nil {
		p.after(b, b.acc())
	}
	b.prune()
	return b
}

// Operands returns how many inputs and outputs a loop uses.
func (k *Kernel) Operands() (ins, outs int) {
	for _, n := range k.Record().Nodes {
		switch n.Op {
		case OpLoad:
			ins = max(ins, int(n.Imm)+1)
		case OpStore:
			outs = max(outs, int(n.Imm)+1)
		}
	}
	return ins, outs
}

// Fuses reports whether the kernel differs between the numeric classes.
func (k *RowKernel) Fuses() bool {
	for i := range k.Passes {
		if k.Passes[i].Fuses() || k.Passes[i].After().fuses() {
			return true
		}
	}
	return false
}

// reducePass adds up (or takes the maximum of) what step makes of the elements.
func reducePass(merge Op, identity uint32, step func(b *Body, acc *Node) *Node, after func(b *Body, r *Node)) Pass {
	return Pass{Kernel{Merge: merge, Identity: identity, do: func(b *Body) { b.setAcc(step(b, b.acc())) }}, after}
}

// sumPass is a sum of terms.
func sumPass(term func(b *Body, acc *Node) *Node, after func(b *Body, r *Node)) Pass {
	return reducePass(OpAdd, 0, term, after)
}

func mapPass(unroll int, f func(b *Body)) Pass { return Pass{Kernel{Unroll: unroll, do: f}, nil} }

// RowKernels lists the kernels of whole rows. Parameter numbers are the callers' (simd/rows.go).
func RowKernels() []*RowKernel {
	var ks []*RowKernel
	add := func(k RowKernel) { k.Name = "row" + k.Name; ks = append(ks, &k) }
	reduce := func(name string, merge Op, identity uint32, step func(b *Body, acc, x *Node) *Node) {
		add(RowKernel{Name: "Reduce" + name, Slot: "rowReduce[" + name + "]", Doc: "stat0 = " + name + " of in0.", Ins: 1, Stats: 1, Passes: []Pass{
			reducePass(merge, identity, func(b *Body, acc *Node) *Node { return step(b, acc, b.in(0)) }, func(b *Body, r *Node) { b.stat(0, r) }),
		}})
	}
	eachReduction(func(name string, merge Op, identity uint32, step func(b *Body, acc, x *Node) *Node) {
		if name != "sumSqDiff" {
			reduce(name, merge, identity, step)
		}
	})

	maximum := reducePass(OpMax, negInf, func(b *Body, acc *Node) *Node { return b.max(acc, b.in(0)) }, func(b *Body, r *Node) { b.set(0, r) })
	maximumKept := reducePass(OpMax, negInf, func(b *Body, acc *Node) *Node { return b.max(acc, b.in(0)) }, func(b *Body, r *Node) {
		b.set(0, r)
		b.stat(0, r)
	})
	exponentials := func(after func(b *Body, r *Node)) Pass {
		return sumPass(func(b *Body, acc *Node) *Node {
			e := b.exp(b.sub(b.in(0), b.p(0)))
			b.out(0, e)
			return b.add(acc, e)
		}, after)
	}
	onlySum := func(after func(b *Body, r *Node)) Pass {
		return sumPass(func(b *Body, acc *Node) *Node { return b.add(acc, b.exp(b.sub(b.in(0), b.p(0)))) }, after)
	}
	scaled := mapPass(4, func(b *Body) { b.out(0, b.mul(b.in(1), b.p(1))) })
	add(RowKernel{Name: "Softmax", Slot: "rowSoftmax", Doc: "out0 = exp(in0-max) / their sum; in1 is out0.", Ins: 2, Outs: 1, Passes: []Pass{
		maximum, exponentials(func(b *Body, r *Node) { b.set(1, b.div(b.c(1), r)) }), scaled,
	}})
	add(RowKernel{Name: "LogSoftmax", Slot: "rowLogSoftmax", Doc: "out0 = (in0-max) - log of the sum of exp(in0-max).", Ins: 1, Outs: 1, Passes: []Pass{
		maximum, onlySum(func(b *Body, r *Node) { b.set(1, b.log(r)) }),
		mapPass(4, func(b *Body) { b.out(0, b.sub(b.sub(b.in(0), b.p(0)), b.p(1))) }),
	}})
	add(RowKernel{Name: "SoftmaxGrad", Slot: "rowSoftmaxGrad", Doc: "out0 = in1*(in0 - sum of in0*in1).", Ins: 2, Outs: 1, Passes: []Pass{
		sumPass(func(b *Body, acc *Node) *Node { return b.madd(b.in(0), b.in(1), acc) }, func(b *Body, r *Node) { b.set(0, r) }),
		mapPass(4, func(b *Body) { b.out(0, b.mul(b.sub(b.in(0), b.p(0)), b.in(1))) }),
	}})
	add(RowKernel{Name: "LogSoftmaxGrad", Slot: "rowLogSoftmaxGrad", Doc: "out0 = in0 - exp(in1) * sum of in0.", Ins: 2, Outs: 1, Passes: []Pass{
		sumPass(func(b *Body, acc *Node) *Node { return b.add(acc, b.in(0)) }, func(b *Body, r *Node) { b.set(0, b.neg(r)) }),
		mapPass(1, func(b *Body) { x := b.in(0); b.out(0, b.madd(b.exp(b.in(1)), b.p(0), x)) }),
	}})
	add(RowKernel{Name: "LogSumExp", Slot: "rowLogSumExp", Doc: "stat0 = max of in0, stat1 = log of the sum of exp(in0-max).", Ins: 1, Stats: 2, Passes: []Pass{
		maximumKept, onlySum(func(b *Body, r *Node) { b.stat(1, b.log(r)) }),
	}})
	add(RowKernel{Name: "CrossEntropy", Slot: "rowCrossEntropy", Doc: "rowLogSumExp, and out0 = exp(in0-max) * p2/their sum; in1 is out0.", Ins: 2, Outs: 1, Given: 3, Stats: 2,
		Passes: []Pass{
			maximumKept, exponentials(func(b *Body, r *Node) {
				b.stat(1, b.log(r))
				b.set(1, b.div(b.p(2), r))
			}), scaled,
		}})

	// Normalisation: p2 is the number of elements, p3 epsilon.
	moments := []Pass{
		sumPass(func(b *Body, acc *Node) *Node { return b.add(acc, b.in(0)) }, func(b *Body, r *Node) {
			m := b.div(r, b.p(2))
			b.set(0, m)
			b.stat(0, m)
		}),
		sumPass(func(b *Body, acc *Node) *Node {
			d := b.sub(b.in(0), b.p(0))
			return b.madd(d, d, acc)
		}, func(b *Body, r *Node) {
			k := b.div(b.c(1), b.sqrt(b.add(b.div(r, b.p(2)), b.p(3))))
			b.set(1, k)
			b.stat(1, k)
		}),
	}
	add(RowKernel{Name: "Moments", Slot: "rowMoments", Doc: "stat0 = mean m of in0, stat1 = 1/sqrt(variance + p3); p2 is n.", Ins: 1, Given: 4, Stats: 2, Passes: moments})
	add(RowKernel{Name: "LayerNorm", Slot: "rowLayerNorm", Doc: "rowMoments, and out0 = ((in0-m)*stat1)*in1 + in2.", Ins: 3, Shared: 6, Outs: 1, Given: 4, Stats: 2,
		Passes: append(moments[:2:2], mapPass(2, func(b *Body) { b.out(0, b.madd(b.mul(b.sub(b.in(0), b.p(0)), b.p(1)), b.in(1), b.in(2))) }))})
	add(RowKernel{Name: "LayerNormGrad", Slot: "rowLayerNormGrad",
		Doc: "with d = in0*in2, m = p0, k = p1, s = k*sum(d*(in1-m)): out0 = ((in1-m)*(-(k*s)/p2) + (d - sum(d)/p2)) * k; p2 is n; in3 is out0.",
		Ins: 4, Shared: 4, Outs: 1, Given: 3, Before: []int{0, 1}, Passes: []Pass{
			sumPass(func(b *Body, acc *Node) *Node {
				d := b.mul(b.in(0), b.in(2))
				b.out(0, d)
				return b.add(acc, d)
			}, func(b *Body, r *Node) { b.set(3, b.div(r, b.p(2))) }),
			sumPass(func(b *Body, acc *Node) *Node { return b.madd(b.in(3), b.sub(b.in(1), b.p(0)), acc) }, func(b *Body, r *Node) {
				b.set(4, b.div(b.neg(b.mul(b.p(1), b.mul(b.p(1), r))), b.p(2)))
			}),
			mapPass(2, func(b *Body) {
				b.out(0, b.mul(b.madd(b.sub(b.in(1), b.p(0)), b.p(4), b.sub(b.in(3), b.p(3))), b.p(1)))
			}),
		}})
	add(RowKernel{Name: "RMSNorm", Slot: "rowRMSNorm", Doc: "stat0 = k = 1/sqrt(sum(in0*in0)/p2 + p3), out0 = (in0*k)*in1; p2 is n.", Ins: 2, Shared: 2, Outs: 1, Given: 4, Stats: 1,
		Passes: []Pass{
			sumPass(func(b *Body, acc *Node) *Node { x := b.in(0); return b.madd(x, x, acc) }, func(b *Body, r *Node) {
				k := b.div(b.c(1), b.sqrt(b.add(b.div(r, b.p(2)), b.p(3))))
				b.set(1, k)
				b.stat(0, k)
			}),
			mapPass(4, func(b *Body) { b.out(0, b.mul(b.mul(b.in(0), b.p(1)), b.in(1))) }),
		}})
	add(RowKernel{Name: "RMSNormGrad", Slot: "rowRMSNormGrad",
		Doc: "with stat0 = k as in rowRMSNorm of in1 and d = in0*in2: out0 = (in1*(-(k*(k*sum(d*in1)))/p2) + d) * k; p2 is n.",
		Ins: 3, Shared: 4, Outs: 1, Given: 4, Stats: 1, Passes: []Pass{
			sumPass(func(b *Body, acc *Node) *Node { x := b.in(1); return b.madd(x, x, acc) }, func(b *Body, r *Node) {
				k := b.div(b.c(1), b.sqrt(b.add(b.div(r, b.p(2)), b.p(3))))
				b.set(1, k)
				b.stat(0, k)
			}),
			sumPass(func(b *Body, acc *Node) *Node { return b.madd(b.mul(b.in(0), b.in(2)), b.in(1), acc) }, func(b *Body, r *Node) {
				b.set(4, b.div(b.neg(b.mul(b.p(1), b.mul(b.p(1), r))), b.p(2)))
			}),
			mapPass(2, func(b *Body) { b.out(0, b.mul(b.madd(b.in(1), b.p(4), b.mul(b.in(0), b.in(2))), b.p(1))) }),
		}})
	add(RowKernel{Name: "Affine", Slot: "rowAffine", Doc: "out0 = in0*p0 + p1, p0 and p1 of every row.", Ins: 1, Outs: 1, Before: []int{0, 1}, Passes: []Pass{
		mapPass(4, func(b *Body) { b.out(0, b.madd(b.in(0), b.p(0), b.p(1))) }),
	}})
	add(RowKernel{Name: "NormSums", Slot: "rowNormSums", Doc: "stat0 = sum of in0, stat1 = sum of in0*(in1-p0).", Ins: 2, Given: 1, Stats: 2, Passes: []Pass{
		sumPass(func(b *Body, acc *Node) *Node { return b.add(acc, b.in(0)) }, func(b *Body, r *Node) { b.stat(0, r) }),
		sumPass(func(b *Body, acc *Node) *Node { return b.madd(b.in(0), b.sub(b.in(1), b.p(0)), acc) }, func(b *Body, r *Node) { b.stat(1, r) }),
	}})
	add(RowKernel{Name: "GroupGrad", Slot: "rowGroupGrad", Doc: "out0 = (in1-p0)*p1 + (in0*p2 + p3), p2 of every row.", Ins: 2, Outs: 1, Given: 4, Before: []int{2}, Passes: []Pass{
		mapPass(2, func(b *Body) { b.out(0, b.madd(b.sub(b.in(1), b.p(0)), b.p(1), b.madd(b.in(0), b.p(2), b.p(3)))) }),
	}})
	return ks
}

const negInf = 0xff800000

// eachReduction lists the reductions over elements.
func eachReduction(f func(name string, merge Op, identity uint32, step func(b *Body, acc, x *Node) *Node)) {
	f("Sum", OpAdd, 0, func(b *Body, acc, x *Node) *Node { return b.add(acc, x) })
	f("SumSq", OpAdd, 0, func(b *Body, acc, x *Node) *Node { return b.madd(x, x, acc) })
	f("SumAbs", OpAdd, 0, func(b *Body, acc, x *Node) *Node { return b.add(acc, b.abs(x)) })
	f("Prod", OpMul, 0x3f800000, func(b *Body, acc, x *Node) *Node { return b.mul(acc, x) })
	f("ReduceMax", OpMax, negInf, func(b *Body, acc, x *Node) *Node { return b.max(acc, x) })
	f("ReduceMin", OpMin, 0x7f800000, func(b *Body, acc, x *Node) *Node { return b.min(acc, x) })
	f("sumSqDiff", OpAdd, 0, func(b *Body, acc, x *Node) *Node {
		d := b.sub(x, b.p(0))
		return b.madd(d, d, acc)
	})
}
