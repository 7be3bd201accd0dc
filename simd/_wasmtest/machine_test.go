package wasmtest

import (
	"context"
	"encoding/binary"
	"math"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/weft-ml/weft/simd/wasmasm"
)

// machine is a kernel module on a memory of its own.
type machine struct {
	t      *testing.T
	ctx    context.Context
	kernel api.Module
	memory api.Memory
	top    uint32
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
