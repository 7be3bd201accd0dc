package wasmtest

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/weft-ml/weft/simd"
	"github.com/weft-ml/weft/simd/wasmasm"
	"github.com/weft-ml/weft/simd/wasmkernels"
)

// machine is the simd128 kernel module on a memory of its own.
type machine struct {
	t      *testing.T
	ctx    context.Context
	kernel api.Module
	memory api.Memory
	top    uint32
}

func newMachine(t *testing.T, pages uint32) *machine {
	t.Helper()
	b, err := wasmkernels.Generate(wasmkernels.Variant{})
	if err != nil {
		t.Fatal(err)
	}
	return machineOf(t, b, pages)
}

// machineOf is a kernel module on a memory of its own.
func machineOf(t *testing.T, wasm []byte, pages uint32) *machine {
	t.Helper()
	ctx := context.Background()
	rt := wazero.NewRuntime(ctx)
	t.Cleanup(func() { rt.Close(ctx) })
	host := wasmasm.NewModule("env")
	host.Memory(wasmasm.Limits{Min: pages})
	host.ExportMemory("memory")
	b, err := host.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	env, err := rt.InstantiateWithConfig(ctx, b, wazero.NewModuleConfig().WithName("env"))
	if err != nil {
		t.Fatal(err)
	}
	kernel, err := rt.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().WithName("weft"))
	if err != nil {
		t.Fatal(err)
	}
	return &machine{t, ctx, kernel, env.Memory(), 64}
}

func (m *machine) call(name string, args ...uint64) []uint64 {
	m.t.Helper()
	r, err := m.kernel.ExportedFunction(name).Call(m.ctx, args...)
	if err != nil {
		m.t.Fatalf("%s%v: %v", name, args, err)
	}
	return r
}

// put copies numbers into the memory, between guard words, and returns their address.
func (m *machine) put(x []float32) uint32 {
	m.t.Helper()
	at := m.top + 4
	ok := m.memory.WriteUint32Le(m.top, guard)
	for i, v := range x {
		ok = ok && m.memory.WriteFloat32Le(at+uint32(4*i), v)
	}
	m.top = at + uint32(4*len(x))
	if !ok || !m.memory.WriteUint32Le(m.top, guard) {
		m.t.Fatal("the memory is too small")
	}
	m.top += 4
	return at
}

const guard = 0xDEADBEEF

// take reads n numbers back and checks the guards.
func (m *machine) take(at uint32, n int) []float32 {
	m.t.Helper()
	b, ok := m.memory.Read(at-4, uint32(4*n+8))
	if !ok || binary.LittleEndian.Uint32(b) != guard || binary.LittleEndian.Uint32(b[4*n+4:]) != guard {
		m.t.Fatal("a kernel wrote outside its operands")
	}
	x := make([]float32, n)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i+4:]))
	}
	return x
}

func TestGemmSIMD128(t *testing.T) {
	if wasmkernels.Chunk != simd.KChunk {
		t.Fatalf("chunks of %d, package simd says %d", wasmkernels.Chunk, simd.KChunk)
	}
	if err := simd.Use("generic-muladd"); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 6))
	var shapes [][3]int
	for m := range 10 {
		for n := range 18 {
			shapes = append(shapes, [3]int{m, n, 1 + r.IntN(9)})
		}
	}
	shapes = append(shapes, [][3]int{{4, 8, 0}, {4, 8, 511}, {5, 9, 512}, {4, 8, 513}, {9, 131, 1025}, {70, 300, 17}, {3, 1000, 5}}...)
	w := newMachine(t, 64) // compiled once
	for _, s := range shapes {
		for _, acc := range []bool{false, true} {
			t.Run(fmt.Sprintf("%dx%dx%d acc=%v", s[0], s[1], s[2], acc), func(t *testing.T) {
				w.t, w.top = t, 64
				product(w, r, s[0], s[1], s[2], acc)
			})
		}
	}
}

func product(w *machine, r *rand.Rand, m, n, k int, acc bool) {
	t := w.t
	fill := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
			if r.IntN(200) == 0 {
				x[i] = []float32{0, float32(math.Inf(1)), 1e-40, float32(math.Copysign(0, -1)), 1e30}[r.IntN(5)]
			}
		}
		return x
	}
	a, b, ldc := fill(m*k), fill(k*n), n+r.IntN(3)
	c := fill(m * ldc)
	mr, nr := int(w.call("gemm_mr")[0]), int(w.call("gemm_nr")[0])
	pa, pb := w.put(make([]float32, (m+mr-1)/mr*mr*k)), w.put(make([]float32, (n+nr-1)/nr*nr*k))
	pc := w.put(c)
	add := uint64(0)
	if acc {
		add = 1
	}
	w.call("gemm_pack_a", uint64(m), uint64(k), uint64(w.put(a)), uint64(k), 1, uint64(pa))
	w.call("gemm_pack_b", uint64(k), uint64(n), uint64(w.put(b)), uint64(n), 1, uint64(pb))
	w.call("gemm_f32", uint64(m), uint64(n), uint64(k), uint64(pa), uint64(pb), uint64(pc), uint64(ldc), add)
	w.take(pa, (m+mr-1)/mr*mr*k)
	w.take(pb, (n+nr-1)/nr*nr*k)
	got := w.take(pc, len(c))
	simd.Gemm(&simd.GemmArgs{M: m, N: n, K: k, A: a, LDA: max(k, 1), B: b, LDB: max(n, 1), C: c, LDC: ldc, Acc: acc}, nil)
	for i := range c {
		if math.Float32bits(got[i]) != math.Float32bits(c[i]) && (got[i] == got[i] || c[i] == c[i]) {
			t.Fatalf("C[%d,%d] = %v, want %v", i/ldc, i%ldc, got[i], c[i])
		}
	}
}
