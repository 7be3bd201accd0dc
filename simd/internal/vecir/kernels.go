package vecir

import "fmt"

// Peak's chains hide the latency of a multiply-add and leave registers for its operands; package simd knows these numbers.
const (
	peakChains = 9
	peakSteps  = 24
)

// Kernels lists every vector function.
func Kernels() []*Kernel {
	var ks []*Kernel
	unary := func(name string, params, unroll int, f func(b *Body, x *Node) *Node) {
		ks = append(ks, &Kernel{Name: "Map" + name, Slot: "mapOp[" + name + "]", Doc: "out0[i] = " + name + "(in0[i]), parameters p0, p1.",
			Ins: 1, Outs: 1, Params: params, Unroll: unroll, do: func(b *Body) { b.out(0, f(b, b.in(0))) }})
	}
	unary("Neg", 0, 4, (*Body).neg)
	unary("Abs", 0, 4, (*Body).abs)
	unary("Sqrt", 0, 2, (*Body).sqrt)
	unary("Rsqrt", 0, 1, func(b *Body, x *Node) *Node { return b.div(b.c(1), b.sqrt(x)) })
	unary("Reciprocal", 0, 2, func(b *Body, x *Node) *Node { return b.div(b.c(1), x) })
	unary("Square", 0, 4, func(b *Body, x *Node) *Node { return b.mul(x, x) })
	unary("Floor", 0, 4, (*Body).floor)
	unary("Ceil", 0, 4, (*Body).ceil)
	unary("Round", 0, 4, (*Body).round)
	unary("Sign", 0, 2, func(b *Body, x *Node) *Node {
		one := b.or(b.and(x, b.bits(1<<31)), b.c(1))
		return b.sel(b.lt(b.c(0), b.abs(x)), one, x)
	})
	unary("Exp", 0, 1, (*Body).exp)
	unary("Expm1", 0, 1, (*Body).expm1)
	unary("Log", 0, 1, (*Body).log)
	unary("Log1p", 0, 1, (*Body).log1p)
	unary("Sin", 0, 1, func(b *Body, x *Node) *Node { s, _ := b.sinCos(x); return s })
	unary("Cos", 0, 1, func(b *Body, x *Node) *Node { _, c := b.sinCos(x); return c })
	unary("Tan", 0, 1, (*Body).tan)
	unary("Sinh", 0, 1, (*Body).sinh)
	unary("Cosh", 0, 1, (*Body).cosh)
	unary("Tanh", 0, 1, (*Body).tanh)
	unary("Asin", 0, 1, (*Body).asin)
	unary("Acos", 0, 1, (*Body).acos)
	unary("Atan", 0, 1, (*Body).atan)
	unary("Asinh", 0, 1, (*Body).asinh)
	unary("Acosh", 0, 1, (*Body).acosh)
	unary("Atanh", 0, 1, (*Body).atanh)
	unary("Root", 0, 2, (*Body).root)
	unary("Sigmoid", 0, 1, (*Body).sigmoid)
	unary("Erf", 0, 1, (*Body).erf)
	unary("Gelu", 0, 1, (*Body).gelu)
	unary("GeluTanh", 0, 1, (*Body).geluTanh)
	unary("Silu", 0, 1, (*Body).silu)
	unary("Mish", 0, 1, (*Body).mish)
	unary("Softplus", 0, 1, (*Body).softplus)
	unary("Softsign", 0, 1, func(b *Body, x *Node) *Node { return b.div(x, b.add(b.abs(x), b.c(1))) })
	unary("Relu", 0, 4, func(b *Body, x *Node) *Node { return b.max(x, b.c(0)) })
	unary("LeakyRelu", 1, 2, func(b *Body, x *Node) *Node { return b.sel(b.lt(x, b.c(0)), b.mul(x, b.p(0)), x) })
	unary("Elu", 1, 1, func(b *Body, x *Node) *Node {
		return b.sel(b.lt(x, b.c(0)), b.mul(b.expm1(x), b.p(0)), x)
	})
	unary("Selu", 2, 1, func(b *Body, x *Node) *Node {
		return b.mul(b.sel(b.lt(x, b.c(0)), b.mul(b.expm1(x), b.p(0)), x), b.p(1))
	})
	unary("Celu", 1, 1, func(b *Body, x *Node) *Node {
		return b.sel(b.lt(x, b.c(0)), b.mul(b.expm1(b.div(x, b.p(0))), b.p(0)), x)
	})
	unary("HardSigmoid", 2, 2, func(b *Body, x *Node) *Node {
		return b.min(b.max(b.madd(x, b.p(0), b.p(1)), b.c(0)), b.c(1))
	})
	unary("HardSwish", 0, 2, func(b *Body, x *Node) *Node {
		return b.mul(x, b.min(b.max(b.madd(x, b.c(1.0/6), b.c(0.5)), b.c(0)), b.c(1)))
	})
	unary("Clip", 2, 4, func(b *Body, x *Node) *Node { return b.min(b.max(x, b.p(0)), b.p(1)) })
	unary("AddC", 1, 4, func(b *Body, x *Node) *Node { return b.add(x, b.p(0)) })
	unary("MulC", 1, 4, func(b *Body, x *Node) *Node { return b.mul(x, b.p(0)) })
	unary("Affine", 2, 4, func(b *Body, x *Node) *Node { return b.madd(x, b.p(0), b.p(1)) })

	binary := func(name string, unroll int, scalar bool, f func(b *Body, x, y *Node) *Node) {
		ks = append(ks, &Kernel{Name: "Zip" + name, Slot: "zip[" + name + "]", Doc: "out0[i] = " + name + "(in0[i], in1[i]).", Ins: 2, Outs: 1,
			Unroll: unroll, do: func(b *Body) { b.out(0, f(b, b.in(0), b.in(1))) }})
		if scalar {
			ks = append(ks, &Kernel{Name: "ZipScalar" + name, Slot: "zipScalar[" + name + "]", Doc: "out0[i] = " + name + "(in0[i], p0).", Ins: 1, Outs: 1,
				Params: 1, Unroll: unroll, do: func(b *Body) { b.out(0, f(b, b.in(0), b.p(0))) }})
			ks = append(ks, &Kernel{Name: "ScalarZip" + name, Slot: "scalarZip[" + name + "]", Doc: "out0[i] = " + name + "(p0, in0[i]).", Ins: 1, Outs: 1,
				Params: 1, Unroll: unroll, do: func(b *Body) { b.out(0, f(b, b.p(0), b.in(0))) }})
		}
	}
	binary("Add", 4, true, (*Body).add)
	binary("Sub", 4, true, (*Body).sub)
	binary("Mul", 4, true, (*Body).mul)
	binary("Div", 2, true, (*Body).div)
	binary("Max", 4, true, (*Body).max)
	binary("Min", 4, true, (*Body).min)
	ks = append(ks, &Kernel{Name: "ZipPow", Slot: "zip[Pow]", Doc: "out0[i] = in0[i] to the power in1[i].", Ins: 2, Outs: 1, do: func(b *Body) {
		b.out(0, b.pow(func() *Node { return b.in(0) }, func() *Node { return b.in(1) }))
	}})
	binary("PRelu", 2, false, func(b *Body, x, y *Node) *Node { return b.sel(b.lt(x, b.c(0)), b.mul(x, y), x) })
	binary("ReluGrad", 4, false, func(b *Body, dy, y *Node) *Node { return b.sel(b.lt(b.c(0), y), dy, b.c(0)) })
	binary("AbsGrad", 2, false, func(b *Body, dy, x *Node) *Node {
		return b.sel(b.lt(b.c(0), b.abs(x)), b.xor(dy, b.and(x, b.bits(1<<31))), b.c(0))
	})
	binary("SigmoidGrad", 2, false, func(b *Body, dy, y *Node) *Node { return b.mul(b.mul(dy, y), b.sub(b.c(1), y)) })
	binary("TanhGrad", 2, false, func(b *Body, dy, y *Node) *Node { return b.mul(dy, b.madd(b.neg(y), y, b.c(1))) })
	binary("ExpGrad", 4, false, (*Body).mul)
	binary("SqrtGrad", 2, false, func(b *Body, dy, y *Node) *Node { return b.div(dy, b.add(y, y)) })
	binary("SoftplusGrad", 1, false, func(b *Body, dy, x *Node) *Node { return b.mul(dy, b.sigmoid(x)) })
	binary("SiluGrad", 1, false, func(b *Body, dy, x *Node) *Node {
		s := b.sigmoid(x)
		return b.mul(dy, b.madd(b.mul(x, s), b.sub(b.c(1), s), s))
	})
	binary("GeluGrad", 1, false, func(b *Body, dy, x *Node) *Node { return b.mul(dy, b.geluGrad(x)) })

	reduce := func(name string, merge Op, identity uint32, step func(b *Body, acc, x *Node) *Node) {
		ks = append(ks, &Kernel{Name: "Reduce" + name, Slot: "reduce[" + name + "]", Doc: "result = " + name + " over runs of in0.", Ins: 1, Params: 1,
			Merge: merge, Identity: identity, do: func(b *Body) { b.setAcc(step(b, b.acc(), b.in(0))) }})
		if name != "sumSqDiff" {
			ks = append(ks, &Kernel{Name: "Row" + name, Slot: "reduceRow[" + name + "]", Doc: "out0[i] takes in1[i] into the " + name + " kept in in0[i].",
				Ins: 2, Outs: 1, Unroll: 4, do: func(b *Body) { b.out(0, step(b, b.in(0), b.in(1))) }})
			ks = append(ks, &Kernel{Name: "Columns" + name, Slot: "reduceColumns[" + name + "]", Doc: "out0[i] = " + name + " over the rows of in0.", Columns: true,
				Ins: 1, Outs: 1, Unroll: 4, Merge: merge, Identity: identity, do: func(b *Body) { b.setAcc(step(b, b.acc(), b.in(0))) }})
		}
	}
	eachReduction(reduce)

	add := func(k Kernel) { ks = append(ks, &k) }
	add(Kernel{Name: "Dot", Slot: "dot", Doc: "result = sum of in0*(in1-p0) over runs.", Ins: 2, Params: 1, Merge: OpAdd,
		do: func(b *Body) { b.setAcc(b.madd(b.in(0), b.sub(b.in(1), b.p(0)), b.acc())) }})
	add(Kernel{Name: "ExpSum", Slot: "expSum", Doc: "out0[i] = exp(in0[i]-p0), result = their sum.", Ins: 1, Outs: 1, Params: 1, Merge: OpAdd,
		do: func(b *Body) {
			e := b.exp(b.sub(b.in(0), b.p(0)))
			b.out(0, e)
			b.setAcc(b.add(b.acc(), e))
		}})
	add(Kernel{Name: "ExpSumOnly", Slot: "expSumOnly", Doc: "result = sum of exp(in0[i]-p0).", Ins: 1, Params: 1, Merge: OpAdd,
		do: func(b *Body) { b.setAcc(b.add(b.acc(), b.exp(b.sub(b.in(0), b.p(0))))) }})
	add(Kernel{Name: "Axpy", Slot: "axpy", Doc: "out0[i] = p0*in1[i] + in0[i].", Ins: 2, Outs: 1, Params: 1, Unroll: 4,
		do: func(b *Body) { b.out(0, b.madd(b.p(0), b.in(1), b.in(0))) }})
	add(Kernel{Name: "PoolNewer", Slot: "poolNewer", Doc: "the larger of in0[i], in2[i] and in3[i], the first of equal ones, goes to out0[i]; in1[i], p0 or p1, after it, to out1[i].",
		Ins: 4, Outs: 2, Params: 2, do: func(b *Body) {
			m, k := b.in(0), b.in(1)
			for i := range 2 {
				v := b.in(2 + i)
				newer := b.lt(m, v)
				m, k = b.sel(newer, v, m), b.sel(newer, b.p(i), k)
			}
			b.out(0, m)
			b.out(1, k)
		}})
	add(Kernel{Name: "PoolPick", Slot: "poolPick", Doc: "out0[i] = in0[i] + (in1[i] == p0 ? in2[i] : 0).", Ins: 3, Outs: 1, Params: 1, Unroll: 2,
		do: func(b *Body) { b.out(0, b.add(b.in(0), b.sel(b.eq(b.in(1), b.p(0)), b.in(2), b.c(0)))) }})
	add(Kernel{Name: "Peak", Slot: "peak", Doc: "out0[i] = the sum of chains of multiply-adds that start at in0[i] and multiply by p0 and add p1.", Ins: 1, Outs: 1, Params: 2,
		do: func(b *Body) {
			x := b.in(0)
			var chain [peakChains]*Node
			for k := range chain {
				chain[k] = b.add(x, b.c(float64(k)))
			}
			for range peakSteps {
				for k := range chain {
					chain[k] = b.madd(chain[k], b.p(0), b.p(1))
				}
			}
			sum := chain[0]
			for _, v := range chain[1:] {
				sum = b.add(sum, v)
			}
			b.out(0, sum)
		}})
	add(Kernel{Name: "Sub2", Slot: "sub2", Doc: "out0[i] = (in0[i]-p0) - p1.", Ins: 1, Outs: 1, Params: 2, Unroll: 4,
		do: func(b *Body) { b.out(0, b.sub(b.sub(b.in(0), b.p(0)), b.p(1))) }})
	add(Kernel{Name: "SubMul", Slot: "subMul", Doc: "out0[i] = (in0[i]-p0) * in1[i].", Ins: 2, Outs: 1, Params: 1, Unroll: 4,
		do: func(b *Body) { b.out(0, b.mul(b.sub(b.in(0), b.p(0)), b.in(1))) }})
	add(Kernel{Name: "ExpMulAdd", Slot: "expMulAdd", Doc: "out0[i] = exp(in1[i])*p0 + in0[i].", Ins: 2, Outs: 1, Params: 1,
		do: func(b *Body) { x := b.in(0); b.out(0, b.madd(b.exp(b.in(1)), b.p(0), x)) }})
	add(Kernel{Name: "NormRow", Slot: "normRow", Doc: "out0[i] = ((in0[i]-p0)*p1)*in1[i] + in2[i].", Ins: 3, Outs: 1, Params: 2, Unroll: 2,
		do: func(b *Body) { b.out(0, b.madd(b.mul(b.sub(b.in(0), b.p(0)), b.p(1)), b.in(1), b.in(2))) }})
	add(Kernel{Name: "NormGrad", Slot: "normGrad", Doc: "out0[i] = ((in1[i]-p0)*p1 + (in0[i]-p2)) * p3.", Ins: 2, Outs: 1, Params: 4, Unroll: 2,
		do: func(b *Body) {
			b.out(0, b.mul(b.madd(b.sub(b.in(1), b.p(0)), b.p(1), b.sub(b.in(0), b.p(2))), b.p(3)))
		}})
	add(Kernel{Name: "NormParamGrad", Slot: "normParamGrad", Doc: "out0 = sum of in0*((in1-p0)*p1) over the rows, out1 = sum of in0; lists of p0 at in2, of p1 at in3.",
		Columns: true, Lists: 2, Ins: 2, Outs: 2, Unroll: 2, Merge: OpAdd, do: func(b *Body) {
			dy := b.in(0)
			b.setAccOf(0, b.madd(dy, b.mul(b.sub(b.in(1), b.p(0)), b.p(1)), b.accOf(0)))
			b.setAccOf(1, b.add(b.accOf(1), dy))
		}})
	add(Kernel{Name: "RMSParamGrad", Slot: "rmsParamGrad", Doc: "out0 = sum of in0*(in1*p0) over the rows; the list of p0 at in2.",
		Columns: true, Lists: 1, Ins: 2, Outs: 1, Unroll: 4, Merge: OpAdd, do: func(b *Body) {
			b.setAccOf(0, b.madd(b.in(0), b.mul(b.in(1), b.p(0)), b.accOf(0)))
		}})
	add(Kernel{Name: "DownExpSum", Slot: "downExpSum", Doc: "out0 = exp(in0[:,j]-in2[j]), out1[j] = in1[j] + the sum of column j.", Ins: 3, Outs: 2, Down: true,
		do: func(b *Body) {
			e := b.exp(b.sub(b.in(0), b.in(2)))
			b.out(0, e)
			b.setAcc(b.add(b.acc(), e))
		}})
	comparisons(add)
	philox(add)
	add(Kernel{Name: "Below", Slot: "below", Doc: "out0[i] = in0[i] < p0 ? p1 : 0.", Ins: 1, Outs: 1, Params: 2, Unroll: 2, do: func(b *Body) {
		b.out(0, b.sel(b.lt(b.in(0), b.p(0)), b.p(1), b.c(0)))
	}})
	optimizers(add)
	cells(add)
	for _, k := range ks {
		k.Name = fmt.Sprintf("vec%s", k.Name)
	}
	return ks
}

// cells lists the elementwise parts of recurrent cells, see simd/rnn.go.
func cells(add func(Kernel)) {
	gate := func(b *Body, y *Node) *Node { return b.mul(y, b.sub(b.c(1), y)) }   // derivative of the sigmoid y
	slope := func(b *Body, y *Node) *Node { return b.madd(b.neg(y), y, b.c(1)) } // derivative of the tanh y
	add(Kernel{Name: "LSTMState", Slot: "lstmState", Doc: "out0[i] = tanh(in0[i]), out1[i] = in2[i]*in3[i] + in1[i]*out0[i].", Ins: 4, Outs: 2, do: func(b *Body) {
		g := b.tanh(b.in(0))
		b.out(0, g)
		b.out(1, b.madd(b.in(2), b.in(3), b.mul(b.in(1), g)))
	}})
	add(Kernel{Name: "LSTMOut", Slot: "lstmOut", Doc: "out0[i] = in0[i]*tanh(in1[i]).", Ins: 2, Outs: 1, do: func(b *Body) {
		t := b.tanh(b.in(1))
		b.out(0, b.mul(b.in(0), t))
	}})
	add(Kernel{Name: "LSTMGradOut", Slot: "lstmGradOut", Doc: "gradients by the output gate in0 and, added to in3, by the cell state in1, of the hidden state's gradient in2.", Ins: 4, Outs: 2, do: func(b *Body) {
		t := b.tanh(b.in(1))
		o, dh := b.in(0), b.in(2)
		b.out(0, b.mul(b.mul(dh, t), gate(b, o)))
		b.out(1, b.madd(b.mul(dh, o), slope(b, t), b.in(3)))
	}})
	add(Kernel{Name: "LSTMGradIn", Slot: "lstmGradIn", Doc: "gradients by the input gate in0 and the candidate in1, of the cell state's gradient in2.", Ins: 3, Outs: 2, do: func(b *Body) {
		i, g, dc := b.in(0), b.in(1), b.in(2)
		b.out(0, b.mul(b.mul(dc, g), gate(b, i)))
		b.out(1, b.mul(b.mul(dc, i), slope(b, g)))
	}})
	add(Kernel{Name: "LSTMGradForget", Slot: "lstmGradForget", Doc: "gradients by the forget gate in0 and the cell state before, in1, of the cell state's gradient in2.", Ins: 3, Outs: 2, Unroll: 2, do: func(b *Body) {
		f, dc := b.in(0), b.in(2)
		b.out(0, b.mul(b.mul(dc, b.in(1)), gate(b, f)))
		b.out(1, b.mul(dc, f))
	}})
	add(Kernel{Name: "GRUCandidate", Slot: "gruCandidate", Doc: "out0[i] = tanh(in1[i]*in2[i] + in0[i]).", Ins: 3, Outs: 1, do: func(b *Body) {
		x := b.in(0)
		b.out(0, b.tanh(b.madd(b.in(1), b.in(2), x)))
	}})
	add(Kernel{Name: "GRUOut", Slot: "gruOut", Doc: "out0[i] = in0[i]*(in2[i]-in1[i]) + in1[i].", Ins: 3, Outs: 1, Unroll: 2, do: func(b *Body) {
		n := b.in(1)
		b.out(0, b.madd(b.in(0), b.sub(b.in(2), n), n))
	}})
	add(Kernel{Name: "GRUGradOut", Slot: "gruGradOut", Doc: "gradients by the update gate in0, the candidate in1 and, round the products, the state before, in2, of the state's gradient in3.", Ins: 4, Outs: 3, do: func(b *Body) {
		z, n, dh := b.in(0), b.in(1), b.in(3)
		b.out(0, b.mul(b.mul(dh, b.sub(b.in(2), n)), gate(b, z)))
		b.out(1, b.mul(b.mul(dh, b.sub(b.c(1), z)), slope(b, n)))
		b.out(2, b.mul(dh, z))
	}})
	add(Kernel{Name: "GRUGradReset", Slot: "gruGradReset", Doc: "gradients by the reset gate in0 and the product in1 that it multiplies, of the candidate's in2.", Ins: 3, Outs: 2, Unroll: 2, do: func(b *Body) {
		r, dn := b.in(0), b.in(2)
		b.out(0, b.mul(b.mul(dn, b.in(1)), gate(b, r)))
		b.out(1, b.mul(dn, r))
	}})
	add(Kernel{Name: "GRUGradState", Slot: "gruGradState", Doc: "gradients by the reset gate in0 and, added to in3, the state in1 that it multiplies, of their product's in2.", Ins: 4, Outs: 2, Unroll: 2, do: func(b *Body) {
		r, d := b.in(0), b.in(2)
		b.out(0, b.mul(b.mul(d, b.in(1)), gate(b, r)))
		b.out(1, b.madd(d, r, b.in(3)))
	}})
}

// comparisons lists what makes and takes bytes of 0 and 1.
func comparisons(add func(Kernel)) {
	compare := func(name string, f func(b *Body, x, y *Node) (mask *Node, not int)) {
		store := func(b *Body, x, y *Node) {
			m, not := f(b, x, y)
			b.outBool(not, m)
		}
		add(Kernel{Name: "Compare" + name, Slot: "compare[" + name + "]", Doc: "out0[i] = in0[i] " + name + " in1[i], bytes.", Ins: 2, Outs: 1, Unroll: 4,
			do: func(b *Body) { x := b.in(0); store(b, x, b.in(1)) }})
		add(Kernel{Name: "CompareScalar" + name, Slot: "compareScalar[" + name + "]", Doc: "out0[i] = in0[i] " + name + " p0, bytes.", Ins: 1, Outs: 1, Params: 1, Unroll: 4,
			do: func(b *Body) { store(b, b.in(0), b.p(0)) }})
	}
	compare("Equal", func(b *Body, x, y *Node) (*Node, int) { return b.eq(x, y), 0 })
	compare("NotEqual", func(b *Body, x, y *Node) (*Node, int) { return b.eq(x, y), BoolNot })
	compare("Less", func(b *Body, x, y *Node) (*Node, int) { return b.lt(x, y), 0 })
	compare("LessOrEqual", func(b *Body, x, y *Node) (*Node, int) { return b.le(x, y), 0 })
	compare("Greater", func(b *Body, x, y *Node) (*Node, int) { return b.lt(y, x), 0 })
	compare("GreaterOrEqual", func(b *Body, x, y *Node) (*Node, int) { return b.le(y, x), 0 })
	add(Kernel{Name: "Select", Slot: "selectBy", Doc: "out0[i] = in0[i] != 0 ? in1[i] : in2[i], in0 of bytes.", Ins: 3, Outs: 1, Unroll: 4,
		do: func(b *Body) { m := b.inBool(0); x := b.in(1); b.out(0, b.sel(m, x, b.in(2))) }})
	add(Kernel{Name: "FromBool", Slot: "fromBool", Doc: "out0[i] = in0[i] != 0 ? p0 : p1, in0 of bytes.", Ins: 1, Outs: 1, Params: 2, Unroll: 4,
		do: func(b *Body) { b.out(0, b.sel(b.inBool(0), b.p(0), b.p(1))) }})
}

// optimizers lists the updates; the parameters are the fields of sgdParams and so on, in order.
func optimizers(add func(Kernel)) {
	const doc = "One optimizer step, see simd/optim.go: in = out = "
	sgd := func(name, slot, state string, ins int, f func(b *Body, d, v *Node) (step, v1 *Node)) {
		add(Kernel{Name: name, Slot: slot, Doc: doc + state, Ins: ins, Outs: ins - 1, Params: 6, Unroll: 4, do: func(b *Body) {
			x := b.in(0)
			d := b.madd(x, b.p(2), b.mul(b.in(1), b.p(5)))
			var v *Node
			if ins > 2 {
				v = b.in(2)
			}
			s, v1 := f(b, d, v)
			if v1 != nil {
				b.out(1, v1)
			}
			b.out(0, b.madd(s, b.p(0), b.mul(x, b.p(1))))
		}})
	}
	velocity := func(b *Body, d, v *Node) *Node { return b.madd(d, b.p(4), b.mul(v, b.p(3))) }
	sgd("SGD", "sgd", "w (in1 = g).", 2, func(b *Body, d, _ *Node) (*Node, *Node) { return d, nil })
	sgd("Momentum", "momentum", "w, v (in1 = g, in2 = v).", 3, func(b *Body, d, v *Node) (*Node, *Node) {
		v = velocity(b, d, v)
		return v, v
	})
	sgd("Nesterov", "nesterov", "w, v (in1 = g, in2 = v).", 3, func(b *Body, d, v *Node) (*Node, *Node) {
		v = velocity(b, d, v)
		return b.madd(v, b.p(3), d), v
	})
	add(Kernel{Name: "Adam", Slot: "adam", Doc: doc + "w, m, v (in1 = g).", Ins: 4, Outs: 3, Params: 8, do: func(b *Body) {
		x, m, v := b.in(0), b.in(2), b.in(3)
		d := b.madd(x, b.p(1), b.mul(b.in(1), b.p(4)))
		m = b.madd(b.sub(d, m), b.p(2), m)
		b.out(1, m)
		v = b.madd(b.mul(d, b.sub(b.c(1), b.p(3))), d, b.mul(v, b.p(3)))
		b.out(2, v)
		u := b.madd(b.sqrt(v), b.p(5), b.p(6))
		b.out(0, b.madd(b.div(m, u), b.p(7), b.mul(x, b.p(0))))
	}})
	add(Kernel{Name: "RMSProp", Slot: "rmsprop", Doc: doc + "w, v (in1 = g).", Ins: 3, Outs: 2, Params: 6, do: func(b *Body) {
		x := b.in(0)
		d := b.madd(x, b.p(0), b.mul(b.in(1), b.p(5)))
		v := b.madd(b.mul(d, b.p(2)), d, b.mul(b.in(2), b.p(1)))
		b.out(1, v)
		b.out(0, b.madd(b.div(d, b.add(b.sqrt(v), b.p(3))), b.p(4), x))
	}})
	add(Kernel{Name: "Adagrad", Slot: "adagrad", Doc: doc + "w, v (in1 = g).", Ins: 3, Outs: 2, Params: 4, do: func(b *Body) {
		x := b.in(0)
		d := b.madd(x, b.p(0), b.mul(b.in(1), b.p(3)))
		v := b.madd(d, d, b.in(2))
		b.out(1, v)
		b.out(0, b.madd(b.div(d, b.add(b.sqrt(v), b.p(1))), b.p(2), x))
	}})
	add(Kernel{Name: "Lion", Slot: "lion", Doc: doc + "w, m (in1 = g).", Ins: 3, Outs: 2, Params: 5, do: func(b *Body) {
		x, m := b.in(0), b.in(2)
		d := b.sub(b.mul(b.in(1), b.p(4)), m)
		u := b.madd(d, b.p(1), m)
		b.out(1, b.madd(d, b.p(2), m))
		step := b.sel(b.lt(b.c(0), u), b.p(3), b.c(0))
		step = b.sel(b.lt(u, b.c(0)), b.neg(b.p(3)), step)
		b.out(0, b.add(b.mul(x, b.p(0)), step))
	}})
}
