package main

import "fmt"

// kernels lists every vector function.
func kernels() []*kernel {
	var ks []*kernel
	unary := func(name string, params, unroll int, f func(b *body, x *node) *node) {
		ks = append(ks, &kernel{name: "Map" + name, slot: "mapOp[" + name + "]", doc: "out0[i] = " + name + "(in0[i]), parameters p0, p1.",
			ins: 1, outs: 1, params: params, unroll: unroll, do: func(b *body) { b.out(0, f(b, b.in(0))) }})
	}
	unary("Neg", 0, 4, (*body).neg)
	unary("Abs", 0, 4, (*body).abs)
	unary("Sqrt", 0, 2, (*body).sqrt)
	unary("Rsqrt", 0, 1, func(b *body, x *node) *node { return b.div(b.c(1), b.sqrt(x)) })
	unary("Reciprocal", 0, 2, func(b *body, x *node) *node { return b.div(b.c(1), x) })
	unary("Square", 0, 4, func(b *body, x *node) *node { return b.mul(x, x) })
	unary("Floor", 0, 4, (*body).floor)
	unary("Ceil", 0, 4, (*body).ceil)
	unary("Round", 0, 4, (*body).round)
	unary("Exp", 0, 1, (*body).exp)
	unary("Expm1", 0, 1, (*body).expm1)
	unary("Log", 0, 1, (*body).log)
	unary("Log1p", 0, 1, (*body).log1p)
	unary("Sin", 0, 1, func(b *body, x *node) *node { s, _ := b.sinCos(x); return s })
	unary("Cos", 0, 1, func(b *body, x *node) *node { _, c := b.sinCos(x); return c })
	unary("Tanh", 0, 1, (*body).tanh)
	unary("Sigmoid", 0, 1, (*body).sigmoid)
	unary("Erf", 0, 1, (*body).erf)
	unary("Gelu", 0, 1, (*body).gelu)
	unary("GeluTanh", 0, 1, (*body).geluTanh)
	unary("Silu", 0, 1, (*body).silu)
	unary("Mish", 0, 1, (*body).mish)
	unary("Softplus", 0, 1, (*body).softplus)
	unary("Softsign", 0, 1, func(b *body, x *node) *node { return b.div(x, b.add(b.abs(x), b.c(1))) })
	unary("Relu", 0, 4, func(b *body, x *node) *node { return b.max(x, b.c(0)) })
	unary("LeakyRelu", 1, 2, func(b *body, x *node) *node { return b.sel(b.lt(x, b.c(0)), b.mul(x, b.p(0)), x) })
	unary("Elu", 1, 1, func(b *body, x *node) *node {
		return b.sel(b.lt(x, b.c(0)), b.mul(b.expm1(x), b.p(0)), x)
	})
	unary("Selu", 2, 1, func(b *body, x *node) *node {
		return b.mul(b.sel(b.lt(x, b.c(0)), b.mul(b.expm1(x), b.p(0)), x), b.p(1))
	})
	unary("HardSigmoid", 2, 2, func(b *body, x *node) *node {
		return b.min(b.max(b.madd(x, b.p(0), b.p(1)), b.c(0)), b.c(1))
	})
	unary("HardSwish", 0, 2, func(b *body, x *node) *node {
		return b.mul(x, b.min(b.max(b.madd(x, b.c(1.0/6), b.c(0.5)), b.c(0)), b.c(1)))
	})
	unary("Clip", 2, 4, func(b *body, x *node) *node { return b.min(b.max(x, b.p(0)), b.p(1)) })
	unary("AddC", 1, 4, func(b *body, x *node) *node { return b.add(x, b.p(0)) })
	unary("MulC", 1, 4, func(b *body, x *node) *node { return b.mul(x, b.p(0)) })
	unary("Affine", 2, 4, func(b *body, x *node) *node { return b.madd(x, b.p(0), b.p(1)) })

	binary := func(name string, unroll int, scalar bool, f func(b *body, x, y *node) *node) {
		ks = append(ks, &kernel{name: "Zip" + name, slot: "zip[" + name + "]", doc: "out0[i] = " + name + "(in0[i], in1[i]).", ins: 2, outs: 1,
			unroll: unroll, do: func(b *body) { b.out(0, f(b, b.in(0), b.in(1))) }})
		if scalar {
			ks = append(ks, &kernel{name: "ZipScalar" + name, slot: "zipScalar[" + name + "]", doc: "out0[i] = " + name + "(in0[i], p0).", ins: 1, outs: 1,
				params: 1, unroll: unroll, do: func(b *body) { b.out(0, f(b, b.in(0), b.p(0))) }})
			ks = append(ks, &kernel{name: "ScalarZip" + name, slot: "scalarZip[" + name + "]", doc: "out0[i] = " + name + "(p0, in0[i]).", ins: 1, outs: 1,
				params: 1, unroll: unroll, do: func(b *body) { b.out(0, f(b, b.p(0), b.in(0))) }})
		}
	}
	binary("Add", 4, true, (*body).add)
	binary("Sub", 4, true, (*body).sub)
	binary("Mul", 4, true, (*body).mul)
	binary("Div", 2, true, (*body).div)
	binary("Max", 4, true, (*body).max)
	binary("Min", 4, true, (*body).min)
	binary("PRelu", 2, false, func(b *body, x, y *node) *node { return b.sel(b.lt(x, b.c(0)), b.mul(x, y), x) })
	binary("ReluGrad", 4, false, func(b *body, dy, y *node) *node { return b.sel(b.lt(b.c(0), y), dy, b.c(0)) })
	binary("SigmoidGrad", 2, false, func(b *body, dy, y *node) *node { return b.mul(b.mul(dy, y), b.sub(b.c(1), y)) })
	binary("TanhGrad", 2, false, func(b *body, dy, y *node) *node { return b.mul(dy, b.madd(b.neg(y), y, b.c(1))) })
	binary("ExpGrad", 4, false, (*body).mul)
	binary("SqrtGrad", 2, false, func(b *body, dy, y *node) *node { return b.div(dy, b.add(y, y)) })
	binary("SoftplusGrad", 1, false, func(b *body, dy, x *node) *node { return b.mul(dy, b.sigmoid(x)) })
	binary("SiluGrad", 1, false, func(b *body, dy, x *node) *node {
		s := b.sigmoid(x)
		return b.mul(dy, b.madd(b.mul(x, s), b.sub(b.c(1), s), s))
	})
	binary("GeluGrad", 1, false, func(b *body, dy, x *node) *node { return b.mul(dy, b.geluGrad(x)) })

	reduce := func(name string, merge op, identity uint32, step func(b *body, acc, x *node) *node) {
		ks = append(ks, &kernel{name: "Reduce" + name, slot: "reduce[" + name + "]", doc: "result = " + name + " over runs of in0.", ins: 1, params: 1,
			merge: merge, identity: identity, do: func(b *body) { b.setAcc(step(b, b.acc(), b.in(0))) }})
		if name != "sumSqDiff" {
			ks = append(ks, &kernel{name: "Row" + name, slot: "reduceRow[" + name + "]", doc: "out0[i] takes in1[i] into the " + name + " kept in in0[i].",
				ins: 2, outs: 1, unroll: 4, do: func(b *body) { b.out(0, step(b, b.in(0), b.in(1))) }})
		}
	}
	reduce("Sum", opAdd, 0, func(b *body, acc, x *node) *node { return b.add(acc, x) })
	reduce("SumSq", opAdd, 0, func(b *body, acc, x *node) *node { return b.madd(x, x, acc) })
	reduce("SumAbs", opAdd, 0, func(b *body, acc, x *node) *node { return b.add(acc, b.abs(x)) })
	reduce("Prod", opMul, 0x3f800000, func(b *body, acc, x *node) *node { return b.mul(acc, x) })
	reduce("ReduceMax", opMax, 0xff800000, func(b *body, acc, x *node) *node { return b.max(acc, x) })
	reduce("ReduceMin", opMin, 0x7f800000, func(b *body, acc, x *node) *node { return b.min(acc, x) })
	reduce("sumSqDiff", opAdd, 0, func(b *body, acc, x *node) *node {
		d := b.sub(x, b.p(0))
		return b.madd(d, d, acc)
	})

	add := func(k kernel) { ks = append(ks, &k) }
	add(kernel{name: "Dot", slot: "dot", doc: "result = sum of in0*(in1-p0) over runs.", ins: 2, params: 1, merge: opAdd,
		do: func(b *body) { b.setAcc(b.madd(b.in(0), b.sub(b.in(1), b.p(0)), b.acc())) }})
	add(kernel{name: "ExpSum", slot: "expSum", doc: "out0[i] = exp(in0[i]-p0), result = their sum.", ins: 1, outs: 1, params: 1, merge: opAdd,
		do: func(b *body) {
			e := b.exp(b.sub(b.in(0), b.p(0)))
			b.out(0, e)
			b.setAcc(b.add(b.acc(), e))
		}})
	add(kernel{name: "ExpSumOnly", slot: "expSumOnly", doc: "result = sum of exp(in0[i]-p0).", ins: 1, params: 1, merge: opAdd,
		do: func(b *body) { b.setAcc(b.add(b.acc(), b.exp(b.sub(b.in(0), b.p(0))))) }})
	add(kernel{name: "Axpy", slot: "axpy", doc: "out0[i] = p0*in1[i] + in0[i].", ins: 2, outs: 1, params: 1, unroll: 4,
		do: func(b *body) { b.out(0, b.madd(b.p(0), b.in(1), b.in(0))) }})
	add(kernel{name: "Sub2", slot: "sub2", doc: "out0[i] = (in0[i]-p0) - p1.", ins: 1, outs: 1, params: 2, unroll: 4,
		do: func(b *body) { b.out(0, b.sub(b.sub(b.in(0), b.p(0)), b.p(1))) }})
	add(kernel{name: "SubMul", slot: "subMul", doc: "out0[i] = (in0[i]-p0) * in1[i].", ins: 2, outs: 1, params: 1, unroll: 4,
		do: func(b *body) { b.out(0, b.mul(b.sub(b.in(0), b.p(0)), b.in(1))) }})
	add(kernel{name: "ExpMulAdd", slot: "expMulAdd", doc: "out0[i] = exp(in1[i])*p0 + in0[i].", ins: 2, outs: 1, params: 1,
		do: func(b *body) { x := b.in(0); b.out(0, b.madd(b.exp(b.in(1)), b.p(0), x)) }})
	add(kernel{name: "NormRow", slot: "normRow", doc: "out0[i] = ((in0[i]-p0)*p1)*in1[i] + in2[i].", ins: 3, outs: 1, params: 2, unroll: 2,
		do: func(b *body) { b.out(0, b.madd(b.mul(b.sub(b.in(0), b.p(0)), b.p(1)), b.in(1), b.in(2))) }})
	add(kernel{name: "NormGrad", slot: "normGrad", doc: "out0[i] = ((in1[i]-p0)*p1 + (in0[i]-p2)) * p3.", ins: 2, outs: 1, params: 4, unroll: 2,
		do: func(b *body) {
			b.out(0, b.mul(b.madd(b.sub(b.in(1), b.p(0)), b.p(1), b.sub(b.in(0), b.p(2))), b.p(3)))
		}})
	add(kernel{name: "NormParamGrad", slot: "normParamGrad", doc: "out0[i] = in2[i]*((in3[i]-p0)*p1) + in0[i], out1[i] = in1[i] + in2[i].",
		ins: 4, outs: 2, params: 2, unroll: 2, do: func(b *body) {
			dy := b.in(2)
			b.out(0, b.madd(dy, b.mul(b.sub(b.in(3), b.p(0)), b.p(1)), b.in(0)))
			b.out(1, b.add(b.in(1), dy))
		}})
	optimizers(add)
	for _, k := range ks {
		k.name = fmt.Sprintf("vec%s", k.name)
	}
	return ks
}

// optimizers lists the updates; the parameters are the fields of sgdParams and so on, in order.
func optimizers(add func(kernel)) {
	const doc = "One optimizer step, see simd/optim.go: in = out = "
	sgd := func(name, slot, state string, ins int, f func(b *body, d, v *node) (step, v1 *node)) {
		add(kernel{name: name, slot: slot, doc: doc + state, ins: ins, outs: ins - 1, params: 5, unroll: 1, do: func(b *body) {
			x := b.in(0)
			d := b.madd(x, b.p(2), b.in(1))
			var v *node
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
	velocity := func(b *body, d, v *node) *node { return b.madd(d, b.p(4), b.mul(v, b.p(3))) }
	sgd("SGD", "sgd", "w (in1 = g).", 2, func(b *body, d, _ *node) (*node, *node) { return d, nil })
	sgd("Momentum", "momentum", "w, v (in1 = g, in2 = v).", 3, func(b *body, d, v *node) (*node, *node) {
		v = velocity(b, d, v)
		return v, v
	})
	sgd("Nesterov", "nesterov", "w, v (in1 = g, in2 = v).", 3, func(b *body, d, v *node) (*node, *node) {
		v = velocity(b, d, v)
		return b.madd(v, b.p(3), d), v
	})
	add(kernel{name: "Adam", slot: "adam", doc: doc + "w, m, v (in1 = g).", ins: 4, outs: 3, params: 8, do: func(b *body) {
		x, m, v := b.in(0), b.in(2), b.in(3)
		d := b.madd(x, b.p(1), b.in(1))
		m = b.madd(b.sub(d, m), b.p(2), m)
		b.out(1, m)
		v = b.madd(b.mul(d, b.p(4)), d, b.mul(v, b.p(3)))
		b.out(2, v)
		u := b.madd(b.sqrt(v), b.p(5), b.p(6))
		b.out(0, b.madd(b.div(m, u), b.p(7), b.mul(x, b.p(0))))
	}})
	add(kernel{name: "RMSProp", slot: "rmsprop", doc: doc + "w, v (in1 = g).", ins: 3, outs: 2, params: 5, do: func(b *body) {
		x := b.in(0)
		d := b.madd(x, b.p(0), b.in(1))
		v := b.madd(b.mul(d, b.p(2)), d, b.mul(b.in(2), b.p(1)))
		b.out(1, v)
		b.out(0, b.madd(b.div(d, b.add(b.sqrt(v), b.p(3))), b.p(4), x))
	}})
	add(kernel{name: "Adagrad", slot: "adagrad", doc: doc + "w, v (in1 = g).", ins: 3, outs: 2, params: 3, do: func(b *body) {
		x := b.in(0)
		d := b.madd(x, b.p(0), b.in(1))
		v := b.madd(d, d, b.in(2))
		b.out(1, v)
		b.out(0, b.madd(b.div(d, b.add(b.sqrt(v), b.p(1))), b.p(2), x))
	}})
	add(kernel{name: "Lion", slot: "lion", doc: doc + "w, m (in1 = g).", ins: 3, outs: 2, params: 4, do: func(b *body) {
		x, m := b.in(0), b.in(2)
		d := b.sub(b.in(1), m)
		u := b.madd(d, b.p(1), m)
		b.out(1, b.madd(d, b.p(2), m))
		step := b.sel(b.lt(b.c(0), u), b.p(3), b.c(0))
		step = b.sel(b.lt(u, b.c(0)), b.neg(b.p(3)), step)
		b.out(0, b.add(b.mul(x, b.p(0)), step))
	}})
}
