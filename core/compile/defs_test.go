package compile_test

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// A few operators of the test's own, so that the compiler is tested against its contract and not against core/op.

func inferBroadcast(c *graph.InferCtx) {
	sh, ok := broadcastDims(c.In[0].Shape, c.In[1].Shape)
	if !ok {
		c.Fail("shapes do not broadcast")
	}
	d := c.In[0].DType
	c.Set(0, d, sh)
}

func broadcastDims(a, b []int) ([]int, bool) { return tensor.Broadcast(a, b) }

func zip(f func(a, b float64) float64) func(c *graph.RefCtx) {
	return func(c *graph.RefCtx) {
		sh := c.Out[0].Shape()
		a, b := c.In[0].Expand(sh...).Float64s(), c.In[1].Expand(sh...).Float64s()
		for i := range a {
			a[i] = f(a[i], b[i])
		}
		c.Out[0].SetFloat64s(a)
	}
}

func elem(k graph.ElemKind, code uint8) func(n *graph.Node) (graph.ElemOp, bool) {
	return func(*graph.Node) (graph.ElemOp, bool) { return graph.ElemOp{Kind: k, Code: code}, true }
}

func sameAsFirst(c *graph.InferCtx) { c.Set(0, c.In[0].DType, c.In[0].Shape) }

func unary(name string, code simd.UnaryOp, f func(x float64) float64) *graph.Def {
	return &graph.Def{Name: name, MinIn: 1, MaxIn: 1, Infer: sameAsFirst, Elem: elem(graph.ElemUnary, uint8(code)), Ref: func(c *graph.RefCtx) {
		v := c.In[0].Float64s()
		for i, x := range v {
			v[i] = f(x)
		}
		c.Out[0].SetFloat64s(v)
	}}
}

func binary(name string, code simd.BinaryOp, f func(a, b float64) float64) *graph.Def {
	return &graph.Def{Name: name, MinIn: 2, MaxIn: 2, Infer: inferBroadcast, Elem: elem(graph.ElemBinary, uint8(code)), Ref: zip(f)}
}

var (
	tAdd  = binary("Add", simd.Add, func(a, b float64) float64 { return a + b })
	tSub  = binary("Sub", simd.Sub, func(a, b float64) float64 { return a - b })
	tMul  = binary("Mul", simd.Mul, func(a, b float64) float64 { return a * b })
	tNeg  = unary("Neg", simd.Neg, func(x float64) float64 { return -x })
	tAbs  = unary("Abs", simd.Abs, math.Abs)
	tSqrt = unary("Sqrt", simd.Sqrt, math.Sqrt)
	tRelu = func() *graph.Def {
		d := unary("Relu", simd.Relu, func(x float64) float64 { return max(x, 0) })
		d.Act = func(*graph.Node) (graph.Act, bool) { return graph.Act{Code: uint8(simd.ActRelu)}, true }
		return d
	}()
	tLess = &graph.Def{Name: "Less", MinIn: 2, MaxIn: 2, Elem: elem(graph.ElemCompare, uint8(simd.Less)),
		Infer: func(c *graph.InferCtx) { inferBroadcast(c); c.Out[0].DType = tensor.Bool },
		Ref: zip(func(a, b float64) float64 {
			if a < b {
				return 1
			}
			return 0
		})}
	tWhere = &graph.Def{Name: "Where", MinIn: 3, MaxIn: 3, Elem: elem(graph.ElemSelect, 0),
		Infer: func(c *graph.InferCtx) {
			a, _ := broadcastDims(c.In[1].Shape, c.In[2].Shape)
			sh, _ := broadcastDims(a, c.In[0].Shape)
			c.Set(0, c.In[1].DType, sh)
		},
		Ref: func(c *graph.RefCtx) {
			sh := c.Out[0].Shape()
			q, a, b := c.In[0].Expand(sh...).Float64s(), c.In[1].Expand(sh...).Float64s(), c.In[2].Expand(sh...).Float64s()
			for i := range a {
				if q[i] == 0 {
					a[i] = b[i]
				}
			}
			c.Out[0].SetFloat64s(a)
		}}
	// tFlat is a view: [a b ...] -> [a*b*...].
	tFlat = &graph.Def{Name: "Flat", MinIn: 1, MaxIn: 1, View: true,
		Infer: func(c *graph.InferCtx) {
			n := 1
			for _, d := range c.In[0].Shape {
				if d < 0 {
					n = graph.Unknown
					break
				}
				n *= d
			}
			c.Set(0, c.In[0].DType, []int{n})
		},
		Ref: func(c *graph.RefCtx) { c.Out[0].SetFloat64s(c.In[0].Float64s()) }}
	// tMatMul multiplies [m k] by [k n] and packs its second operand.
	tMatMul = &graph.Def{Name: "MatMul", MinIn: 2, MaxIn: 2, TakesAct: true,
		Infer: func(c *graph.InferCtx) {
			if c.In[0].Shape[1] >= 0 && c.In[1].Shape[0] >= 0 && c.In[0].Shape[1] != c.In[1].Shape[0] {
				c.Fail("inner dimensions differ")
			}
			c.Set(0, c.In[0].DType, []int{c.In[0].Shape[0], c.In[1].Shape[1]})
		},
		Ref: func(c *graph.RefCtx) {
			m, k, n := c.In[0].Shape()[0], c.In[0].Shape()[1], c.In[1].Shape()[1]
			a, b, y := c.In[0].Float64s(), c.In[1].Float64s(), make([]float64, m*n)
			for i := range m {
				for j := range n {
					for p := range k {
						y[i*n+j] += a[i*k+p] * b[p*n+j]
					}
				}
			}
			c.Out[0].SetFloat64s(y)
		},
		Lower: func(b graph.Builder, n *graph.Node) bool {
			if b.InType(0) != tensor.Float32 || b.InShape(0)[0] == 0 || b.InShape(0)[0] == 13 {
				return false // 13 stands for shapes without a kernel
			}
			m, k, cols := b.InShape(0)[0], b.InShape(0)[1], b.InShape(1)[1]
			packed := b.Pack(1, 4*simd.GemmPackBSize(k, cols), prog.Step{Kernel: &kTestPack, N: [28]int32{int32(k), int32(cols)}})
			s := prog.Step{Kernel: &kTestGemm, N: [28]int32{int32(m), int32(k), int32(cols), int32(b.Epilogue().Code)}}
			g := simd.GemmArgs{M: m, N: cols, K: k, LDA: k, LDB: cols, LDC: cols}
			s.Tiles = int32(min(m, 4))
			s.Worker = int32(4 * simd.GemmScratch(&g))
			s.A[0], s.A[1], s.A[2] = b.Out(0), b.In(0), packed
			b.Emit(s)
			return true
		}}
	// tCol sums [m n] over rows; it has no kernel, so it runs as a reference step.
	tCol = &graph.Def{Name: "Col", MinIn: 1, MaxIn: 1,
		Infer: func(c *graph.InferCtx) { c.Set(0, c.In[0].DType, []int{1, c.In[0].Shape[1]}) },
		Ref: func(c *graph.RefCtx) {
			n := c.In[0].Shape()[1]
			y := make([]float64, n)
			for i, x := range c.In[0].Float64s() {
				y[i%n] += x
			}
			c.Out[0].SetFloat64s(y)
		}}
	// tStep is an optimizer with one slot: v' = 0.5*v + g, p' = p - lr*v'.
	tStep = &graph.Def{Domain: "weft", Name: "Step", MinIn: 4, MaxIn: 4, MinOut: 2, MaxOut: 2, InPlace: []int{0}, InPlaceOut: [][2]int{{1, 2}},
		Infer: func(c *graph.InferCtx) { sameAsFirst(c); c.Set(1, c.In[2].DType, c.In[2].Shape) },
		Ref: func(c *graph.RefCtx) {
			p, g, v, lr := c.In[0].Float64s(), c.In[1].Float64s(), c.In[2].Float64s(), c.In[3].Float64s()[0]
			for i := range p {
				v[i] = 0.5*v[i] + g[i]
				p[i] -= lr * v[i]
			}
			c.Out[0].SetFloat64s(p)
			c.Out[1].SetFloat64s(v)
		},
		Lower: func(b graph.Builder, n *graph.Node) bool {
			s := prog.Step{Kernel: &kTestStep, N: [28]int32{int32(tensor.Size(b.InShape(0)))}}
			s.A[0], s.A[1], s.A[2], s.A[3], s.A[4], s.A[5] = b.Out(0), b.Out(1), b.In(0), b.In(1), b.In(2), b.In(3)
			b.Emit(s)
			return true
		}}
	// tPositive keeps the positive elements: the shape depends on the data.
	tPositive = &graph.Def{Name: "Positive", MinIn: 1, MaxIn: 1,
		Infer: func(c *graph.InferCtx) { c.Set(0, c.In[0].DType, []int{graph.Unknown}) },
		Ref: func(c *graph.RefCtx) {
			var y []float32
			for _, x := range c.In[0].Float32s() {
				if x > 0 {
					y = append(y, x)
				}
			}
			c.Out[0] = tensor.From(y, len(y))
		}}
	tNoise = &graph.Def{Name: "Noise", MinIn: 1, MaxIn: 1, Random: true, ShapeOnly: []int{0}, Infer: sameAsFirst,
		Ref: func(c *graph.RefCtx) {
			v := make([]float64, c.Out[0].Len())
			for i := range v {
				v[i] = float64(c.Rand.Seed*1000 + c.Rand.Step*100 + uint64(c.Node.ID)*10 + uint64(i))
			}
			c.Out[0].SetFloat64s(v)
		}}
	tPanic = &graph.Def{Name: "Panic", MinIn: 1, MaxIn: 1, Infer: sameAsFirst, Ref: func(c *graph.RefCtx) {},
		Lower: func(b graph.Builder, n *graph.Node) bool {
			b.Emit(prog.Step{Kernel: &kTestPanic, Tiles: 8})
			return true
		}}
	// tExpandLike broadcasts to the shape of its second input and is the identity when it has that shape.
	tExpandLike = &graph.Def{Domain: "weft", Name: "ExpandLike", MinIn: 2, MaxIn: 2, ShapeOnly: []int{1},
		Same:  func(n *graph.Node, in, out []graph.Type) bool { return true },
		Infer: func(c *graph.InferCtx) { c.Set(0, c.In[0].DType, c.In[1].Shape) },
		Ref: func(c *graph.RefCtx) {
			c.Out[0].SetFloat64s(c.In[0].Expand(c.Out[0].Shape()...).Float64s())
		}}
)

var (
	kTestPack = prog.Kernel{Name: "TestPack", Run: func(w *prog.Worker, s *prog.Step, tile int) {
		k, n := int(s.N[0]), int(s.N[1])
		packs++
		simd.GemmPackB(w.F32(s.A[0], simd.GemmPackBSize(k, n)), w.F32(s.A[1], k*n), n, false, k, n)
	}}
	kTestGemm = prog.Kernel{Name: "TestGemm", Run: func(w *prog.Worker, s *prog.Step, tile int) {
		m, k, n := int(s.N[0]), int(s.N[1]), int(s.N[2])
		lo, hi := prog.Span(m, 1, tile, int(s.Tiles))
		g := simd.GemmArgs{M: hi - lo, N: n, K: k, A: w.F32(s.A[1].Add(4*lo*k), (hi-lo)*k), LDA: k, LDB: n,
			PackedB: w.F32(s.A[2], simd.GemmPackBSize(k, n)), C: w.F32(s.A[0].Add(4*lo*n), (hi-lo)*n), LDC: n, Act: simd.Act(s.N[3])}
		simd.Gemm(&g, w.ScratchF32(int(s.Worker)/4))
	}}
	kTestStep = prog.Kernel{Name: "TestStep", Run: func(w *prog.Worker, s *prog.Step, tile int) {
		n := int(s.N[0])
		p2, v2, p, g, v, lr := w.F32(s.A[0], n), w.F32(s.A[1], n), w.F32(s.A[2], n), w.F32(s.A[3], n), w.F32(s.A[4], n), w.F32(s.A[5], 1)[0]
		if &p2[0] == &p[0] && &v2[0] == &v[0] {
			inPlaceSteps++
		}
		for i := range p {
			nv := float32(0.5*v[i]) + g[i]
			p2[i], v2[i] = p[i]-float32(lr*nv), nv
		}
	}}
	kTestPanic = prog.Kernel{Name: "TestPanic", Run: func(w *prog.Worker, s *prog.Step, tile int) {
		if tile == 5 {
			panic("broken kernel")
		}
	}}
)

// What the kernels above count.
var packs, inPlaceSteps int

var kTestKeep = prog.Kernel{Name: "TestKeep", Run: func(w *prog.Worker, s *prog.Step, tile int) {
	n := int(s.N[0])
	x, y, a, b := w.F32(s.A[0], n), w.F32(s.A[1], n), w.F32(s.A[2], n), w.F32(s.A[3], n)
	for i := range a {
		u, v := -b[i], a[i]+1
		if x != nil {
			x[i] = u
		}
		if y != nil {
			y[i] = v
		}
	}
}}

func tKeepLower(b graph.Builder, n *graph.Node) bool {
	s := prog.Step{Kernel: &kTestKeep, N: [28]int32{int32(tensor.Size(b.InShape(0)))}}
	s.A[0], s.A[1], s.A[2], s.A[3] = b.Out(0), b.Out(1), b.In(0), b.In(1)
	b.Emit(s)
	return true
}
