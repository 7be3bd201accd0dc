package wasmtest

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weft-ml/weft/simd"
	"github.com/weft-ml/weft/simd/internal/vecir"
	"github.com/weft-ml/weft/simd/wasmkernels"
)

// element computes one element of a kernel of the vector language, class muladd, in plain Go: outs and accumulators from ins.
func element(b *vecir.Body, ins, params, outs, acc []float32) {
	value := map[*vecir.Node]uint32{}
	for _, n := range b.Nodes {
		var a [3]uint32
		var x [3]float32
		for i, arg := range n.Args {
			switch arg.Op {
			case vecir.OpConst:
				a[i] = arg.Imm
			case vecir.OpParam:
				a[i] = math.Float32bits(params[arg.Imm])
			default:
				a[i] = value[arg]
			}
			x[i] = math.Float32frombits(a[i])
		}
		number := func(f float32) { value[n] = math.Float32bits(f) }
		whole := func(f func(float64) float64) { number(float32(f(float64(x[0])))) }
		switch n.Op {
		case vecir.OpLoad:
			number(ins[n.Imm])
		case vecir.OpStore:
			outs[n.Imm] = x[0]
		case vecir.OpAcc:
			number(acc[n.Imm])
		case vecir.OpSetAcc:
			acc[n.Imm] = x[0]
		case vecir.OpAdd:
			number(x[0] + x[1])
		case vecir.OpSub:
			number(x[0] - x[1])
		case vecir.OpMul:
			number(x[0] * x[1])
		case vecir.OpDiv:
			number(x[0] / x[1])
		case vecir.OpSqrt:
			whole(math.Sqrt)
		case vecir.OpFloor:
			whole(math.Floor)
		case vecir.OpCeil:
			whole(math.Ceil)
		case vecir.OpRound:
			whole(math.RoundToEven)
		case vecir.OpMadd:
			number(float32(x[0]*x[1]) + x[2])
		case vecir.OpMax, vecir.OpMin:
			value[n] = a[0]
			if n.Op == vecir.OpMax && x[0] < x[1] || n.Op == vecir.OpMin && x[1] < x[0] {
				value[n] = a[1]
			}
		case vecir.OpAnd:
			value[n] = a[0] & a[1]
		case vecir.OpOr:
			value[n] = a[0] | a[1]
		case vecir.OpXor:
			value[n] = a[0] ^ a[1]
		case vecir.OpAndNot:
			value[n] = a[0] &^ a[1]
		case vecir.OpIAdd:
			value[n] = a[0] + a[1]
		case vecir.OpISub:
			value[n] = a[0] - a[1]
		case vecir.OpIMul:
			value[n] = a[0] * a[1]
		case vecir.OpMulHi:
			value[n] = uint32(uint64(a[0]) * uint64(a[1]) >> 32)
		case vecir.OpShl:
			value[n] = a[0] << n.Imm
		case vecir.OpShr:
			value[n] = uint32(int32(a[0]) >> n.Imm)
		case vecir.OpIToF:
			number(float32(int32(a[0])))
		case vecir.OpLT:
			value[n] = mask(x[0] < x[1])
		case vecir.OpLE:
			value[n] = mask(x[0] <= x[1])
		case vecir.OpEQ:
			value[n] = mask(x[0] == x[1])
		case vecir.OpBlend:
			value[n] = a[0]&a[1] | a[2]&^a[0]
		default:
			panic(fmt.Sprint("no meaning of operation ", n.Op))
		}
	}
}

// TestVecSIMD128 compares every kernel of the vector language with its meaning, for every kind of tail and, of reductions,
// several runs.
func TestVecSIMD128(t *testing.T) {
	module, kernels, err := wasmkernels.Build(wasmkernels.Variant{})
	if err != nil {
		t.Fatal(err)
	}
	all := vecir.Kernels()
	for _, k := range all {
		module.ExportFunc(k.Name, kernels[k.Name])
	}
	wasm, err := module.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	w := machineOf(t, wasm, 8)
	for _, k := range all {
		t.Run(k.Name, func(t *testing.T) {
			w.t = t
			r := rand.New(rand.NewPCG(1, 2))
			if k.Down {
				for _, n := range []int{16, 32, 64} {
					w.top = 64
					w.down(k, r, n, 1+n/5, n+4)
				}
				return
			}
			for n := range 70 {
				w.top = 64
				if k.Whole() {
					continue // the tests of package simd have them
				}
				if k.Columns {
					if n >= 4 {
						w.vec(k, r, n, 1+n%5, n+n%3)
					}
					continue
				}
				w.vec(k, r, n, 1, n)
				if k.Reduces() && n%3 == 0 && k.Outs == 0 && len(k.Record().Nodes) < 10 {
					w.vec(k, r, n, 3, n+5)
				}
			}
		})
	}
}

// draw returns n random numbers, some of them special.
func draw(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(3 * r.NormFloat64())
		if r.IntN(9) == 0 {
			x[i] = []float32{0, float32(math.Inf(1)), 1e-40, float32(math.Copysign(0, -1)), -1e30, float32(math.NaN()), 88.8, -104}[r.IntN(8)]
		}
	}
	return x
}

// down runs a kernel that goes down the columns of a random matrix.
func (m *machine) down(k *vecir.Kernel, r *rand.Rand, n, rows, stride int) {
	m.t.Helper()
	le := binary.LittleEndian
	b := make([]byte, 116)
	le.PutUint64(b, uint64(n))
	le.PutUint64(b[8:], uint64(rows))
	le.PutUint64(b[16:], uint64(stride))
	ins := make([][]float32, k.Ins)
	for i := range ins {
		size := n
		if i == 0 {
			size = rows * stride
		}
		ins[i] = draw(r, size)
		le.PutUint64(b[24+8*i:], uint64(m.put(ins[i])))
	}
	matrix, sums := m.put(make([]float32, rows*stride)), m.put(make([]float32, n))
	le.PutUint64(b[56:], uint64(matrix))
	le.PutUint64(b[64:], uint64(sums))
	at := m.put(make([]float32, 32)) + 8
	if !m.memory.Write(at, b) {
		m.t.Fatal("the memory is too small")
	}
	m.call(k.Name, uint64(at))
	got, sum := m.take(matrix, rows*stride), m.take(sums, n)
	one, out := make([]float32, k.Ins), make([]float32, k.Outs)
	for j := range n {
		for i := range one {
			one[i] = ins[i][j]
		}
		acc := ins[1][j]
		for row := range rows {
			one[0] = ins[0][row*stride+j]
			total := []float32{acc}
			element(k.Record(), one, nil, out, total)
			acc = total[0]
			if v := got[row*stride+j]; math.Float32bits(v) != math.Float32bits(out[0]) && out[0] == out[0] {
				m.t.Fatalf("%s: element [%d %d] is %v, want %v", k.Name, row, j, v, out[0])
			}
		}
		if math.Float32bits(sum[j]) != math.Float32bits(acc) && acc == acc {
			m.t.Fatalf("%s: column %d gives %v, want %v", k.Name, j, sum[j], acc)
		}
	}
}

// vec runs a kernel on random operands.
func (m *machine) vec(k *vecir.Kernel, r *rand.Rand, n, runs, stride int) {
	m.t.Helper()
	params := []float32{0.25, 0.75, 1e-3, 0.9, 0.1, 1.5, 1e-8, -0.01}
	var ins [4][]float32
	var inAt [4]uint32
	for i := range k.Ins {
		ins[i] = draw(r, (runs-1)*stride+n)
		inAt[i] = m.put(ins[i])
	}
	for i := range k.Lists {
		ins[2+i] = draw(r, runs)
		inAt[2+i] = m.put(ins[2+i])
	}
	var outAt [3]uint32
	for i := range k.Outs {
		outAt[i] = m.put(make([]float32, n))
	}
	if k.Reduces() && k.Outs < 2 {
		outAt[1] = m.put(make([]float32, simd.Lanes))
	}
	const args = 8
	at := m.put(make([]float32, 32)) + args
	le := binary.LittleEndian
	b := make([]byte, 116)
	le.PutUint64(b, uint64(n))
	le.PutUint64(b[8:], uint64(runs))
	le.PutUint64(b[16:], uint64(stride))
	for i, p := range inAt {
		le.PutUint64(b[24+8*i:], uint64(p))
	}
	for i, p := range outAt {
		le.PutUint64(b[56+8*i:], uint64(p))
	}
	for i, p := range params {
		le.PutUint32(b[80+4*i:], math.Float32bits(p))
	}
	if !m.memory.Write(at, b) {
		m.t.Fatal("the memory is too small")
	}
	m.call(k.Name, uint64(at))

	body := k.Record()
	outs := make([][]float32, k.Outs)
	for i := range outs {
		outs[i] = make([]float32, n)
	}
	var acc [simd.Lanes]float32
	for l := range acc {
		acc[l] = math.Float32frombits(k.Identity)
	}
	one, out := make([]float32, k.Ins), make([]float32, k.Outs)
	for run := range runs {
		for i := range n {
			for j := range one {
				one[j] = ins[j][run*stride+i]
			}
			if k.Columns {
				accs := make([]float32, k.Outs)
				for j := range accs {
					accs[j] = outs[j][i]
					if run == 0 {
						accs[j] = math.Float32frombits(k.Identity)
					}
				}
				for j := range k.Lists {
					params[j] = ins[2+j][run]
				}
				element(body, one, params, out, accs)
				for j, v := range accs {
					outs[j][i] = v
				}
				continue
			}
			l := i % simd.Lanes
			element(body, one, params, out, acc[l:l+1])
			for j, v := range out {
				outs[j][i] = v
			}
		}
	}
	same := func(what string, got, want float32) {
		m.t.Helper()
		if math.Float32bits(got) != math.Float32bits(want) && (got == got || want == want) {
			m.t.Fatalf("%s, n = %d, %d runs: %s is %v, want %v", k.Name, n, runs, what, got, want)
		}
	}
	for i, want := range outs {
		for j, v := range m.take(outAt[i], n) {
			same(fmt.Sprintf("out%d[%d]", i, j), v, want[j])
		}
	}
	for i, in := range ins {
		if in != nil {
			m.take(inAt[i], len(in))
		}
	}
	if k.Reduces() {
		op := map[vecir.Op]func(a, b float32) float32{
			vecir.OpAdd: func(a, b float32) float32 { return a + b },
			vecir.OpMul: func(a, b float32) float32 { return a * b },
			vecir.OpMax: func(a, b float32) float32 {
				if a < b {
					return b
				}
				return a
			},
			vecir.OpMin: func(a, b float32) float32 {
				if b < a {
					return b
				}
				return a
			},
		}[k.Merge]
		for w := simd.Lanes / 2; w > 0; w /= 2 {
			for l := range w {
				acc[l] = op(acc[l], acc[l+w])
			}
		}
		got, _ := m.memory.ReadFloat32Le(at + 112)
		same("the result", got, acc[0])
	}
}
