package gowasm_test

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/weft-ml/weft/simd/wasmasm"
	"github.com/weft-ml/weft/wasm/kernelc/gowasm"
	"github.com/weft-ml/weft/wasm/kernelc/gowasm/internal/sample"
)

const samplePath = "github.com/weft-ml/weft/wasm/kernelc/gowasm/internal/sample"

// machine is an instance of a module with compiled functions.
type machine struct {
	mod api.Module
}

const (
	stackTop = 1 << 16
	dataAt   = 1 << 16
	xAt      = 2 << 16
	nAt      = xAt + 4096
	outAt    = nAt + 4096
)

func compile(t *testing.T, names []string) *machine {
	t.Helper()
	p, err := gowasm.Load(".", samplePath)
	if err != nil {
		t.Fatal(err)
	}
	m := wasmasm.NewModule("sample")
	m.Memory(wasmasm.Limits{Min: 3})
	m.ExportMemory("memory")
	c := gowasm.New(p, m, gowasm.Options{})
	for _, name := range names {
		fn := p.Func(samplePath, name)
		if fn == nil {
			t.Fatalf("no function %s", name)
		}
		f, err := c.Compile(fn)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		m.ExportFunc(name, f)
	}
	m.ExportFunc("start", c.Start("start"))
	m.ExportGlobal("failed", c.Failed)
	b, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	t.Cleanup(func() { r.Close(ctx) })
	mod, err := r.Instantiate(ctx, b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mod.ExportedFunction("start").Call(ctx, stackTop, dataAt, 0, 1); err != nil {
		t.Fatal(err)
	}
	return &machine{mod}
}

// call runs a function on copies of the slices and returns what it leaves in them.
func (m *machine) call(t *testing.T, name string, x []float32, n, out []int64) {
	t.Helper()
	mem := m.mod.Memory()
	xb, _ := binary.Append(nil, binary.LittleEndian, x)
	nb, _ := binary.Append(nil, binary.LittleEndian, n)
	ob, _ := binary.Append(nil, binary.LittleEndian, out)
	mem.Write(xAt, xb)
	mem.Write(nAt, nb)
	mem.Write(outAt, ob)
	lx, ln, lo := uint64(len(x)), uint64(len(n)), uint64(len(out))
	if _, err := m.mod.ExportedFunction(name).Call(context.Background(), xAt, lx, lx, nAt, ln, ln, outAt, lo, lo); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	read := func(at uint32, n int, dst any) {
		b, _ := mem.Read(at, uint32(n))
		if _, err := binary.Decode(b, binary.LittleEndian, dst); err != nil {
			t.Fatal(err)
		}
	}
	read(xAt, len(xb), x)
	read(nAt, len(nb), n)
	read(outAt, len(ob), out)
}

// TestSamples compares compiled functions with Go's own compilation.
func TestSamples(t *testing.T) {
	var names []string
	for name := range sample.All {
		names = append(names, name)
	}
	sort.Strings(names)
	m := compile(t, names)
	r := rand.New(rand.NewPCG(1, 2))
	special := []int64{0, 1, -1, math.MinInt64, math.MaxInt64, 255, 256, -128, 127, 1 << 31, 1<<32 - 1, 3, 64}
	floats := []float32{0, 1, -1, 0.5, -2.5, 1e-42, 3e9, -3e9, float32(math.Inf(1)), float32(math.NaN()), 2.5, 1e20}
	for _, name := range names {
		for round := range 200 {
			x, n, out := make([]float32, 40), make([]int64, 6), make([]int64, 24)
			for i := range x {
				x[i] = float32(r.NormFloat64())
				if r.IntN(4) == 0 && round > 20 {
					x[i] = floats[r.IntN(len(floats))]
				}
			}
			for i := range n {
				n[i] = r.Int64N(200) - 50
				if r.IntN(3) == 0 {
					n[i] = special[r.IntN(len(special))]
				}
			}
			if name == "Math" || name == "Conversions" {
				// Where Go's own compilation differs by architecture.
				for i := range x {
					if !(abs(x[i]) < 1e6) {
						x[i] = 1.25
					}
				}
				if name == "Conversions" {
					x[0] = abs(x[0]) // to unsigned
				}
			}
			wx, wn, wo := append([]float32(nil), x...), append([]int64(nil), n...), append([]int64(nil), out...)
			sample.All[name](wx, wn, wo)
			m.call(t, name, x, n, out)
			for i := range wx {
				if math.Float32bits(x[i]) != math.Float32bits(wx[i]) && (x[i] == x[i] || wx[i] == wx[i]) {
					t.Fatalf("%s, round %d: x[%d] is %v, want %v", name, round, i, x[i], wx[i])
				}
			}
			for i := range wo {
				if out[i] != wo[i] && !bothNaN(out[i], wo[i]) && !close(name, out[i], wo[i]) {
					t.Fatalf("%s, round %d: out[%d] is %#x, want %#x (n %v, x %v)", name, round, i, out[i], wo[i], n, x[:4])
				}
			}
		}
	}
}

func abs(x float32) float32 { return float32(math.Abs(float64(x))) }

func bothNaN(a, b int64) bool {
	f, g := math.Float32frombits(uint32(a)), math.Float32frombits(uint32(b))
	d, e := math.Float64frombits(uint64(a)), math.Float64frombits(uint64(b))
	return a>>32 == 0 && b>>32 == 0 && f != f && g != g || d != d && e != e
}

// close allows functions of package math that are assembly natively to differ in the last bits.
func close(name string, a, b int64) bool {
	return name == "Math" && a-b < 4 && b-a < 4
}

// TestFailed: a panic of the program sets the flag, and the functions above it return.
func TestFailed(t *testing.T) {
	for _, name := range []string{"Fail", "FailSmall"} {
		m := compile(t, []string{name})
		for _, n := range []int64{4, -4} {
			out := make([]int64, 3)
			m.call(t, name, nil, []int64{n}, out)
			failed := m.mod.ExportedGlobal("failed").Get()
			if n > 0 && (failed != 0 || out[2] != 3 || out[1] != 8) || n < 0 && (failed != 1 || out[2] != 0) {
				t.Errorf("%s: n = %d: failed %d, out %v", name, n, failed, out)
			}
		}
	}
}

// TestRefused: what cannot be compiled is an error that says what it is and where.
func TestRefused(t *testing.T) {
	p, err := gowasm.Load(".", samplePath)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Heap":      "sample.Heap: the address of the variable new is stored",
		"Append":    "sample.Append: the builtin append",
		"Map":       "sample.Map: ",
		"Interface": "sample.Interface: ",
		"Defer":     "sample.Defer: ",
		"Outlives":  "sample.escape: the variable v outlives its function",
		"Unknown":   "sample.holder.f holds one of 2 functions",
		"Written":   "sample.written, which is written",
	} {
		m := wasmasm.NewModule("refused")
		m.Memory(wasmasm.Limits{Min: 1})
		_, err := gowasm.New(p, m, gowasm.Options{}).Compile(p.Func(samplePath, name))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
}
