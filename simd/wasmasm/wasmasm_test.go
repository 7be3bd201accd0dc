package wasmasm_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weft-ml/weft/internal/require"
	. "github.com/weft-ml/weft/simd/wasmasm"
)

// everyOp returns a module with one function for each instruction of the table, and their names in order.
func everyOp(t *testing.T, relaxed bool) ([]byte, []string) {
	m := NewModule("every instruction")
	m.Memory(Limits{Min: 1, Max: 2, HasMax: true, Shared: true})
	var names []string
	for _, op := range Ops() {
		if !relaxed && strings.Contains(op.String(), "relaxed") {
			continue
		}
		typ, memory, lanes := op.Type()
		f := m.Func(op.String(), typ)
		for i := range typ.Params {
			f.Get(f.Param(i))
		}
		switch {
		case memory && lanes > 0:
			f.MemLane(op, 300, lanes-1)
		case memory:
			f.Mem(op, 300)
		case lanes > 0:
			f.Lane(op, lanes-1)
		default:
			f.Op(op)
		}
		m.ExportFunc(op.String(), f)
		names = append(names, op.String())
	}
	b, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b, names
}

// node runs a script under Node with the module's path as argument and returns what it prints.
func node(t *testing.T, wasm []byte, script string, flags ...string) string {
	t.Helper()
	bin := require.Tool(t, "node", "node")
	path := filepath.Join(t.TempDir(), "m.wasm")
	if err := os.WriteFile(path, wasm, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, append(flags, "-e", script, path)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, stderr.Bytes())
	}
	return strings.TrimSpace(string(out))
}

const compile = `const m = new WebAssembly.Module(require("fs").readFileSync(process.argv[1]));`

func TestEveryInstructionValidates(t *testing.T) {
	b, names := everyOp(t, false)
	out := node(t, b, compile+`console.log(WebAssembly.Module.exports(m).map(e => e.name).join(" "))`)
	if want := strings.Join(names, " "); out != want {
		t.Errorf("exports %s, want %s", out, want)
	}
	b, names = everyOp(t, true)
	out = node(t, b, `console.log(WebAssembly.validate(require("fs").readFileSync(process.argv[1])))`, "--experimental-wasm-relaxed-simd")
	if out != "true" {
		t.Errorf("with relaxed SIMD Node says %s to %d instructions", out, len(names))
	}
}

// TestNamesMatchDisassembly compares every opcode with the name that another project's disassembler gives it.
func TestNamesMatchDisassembly(t *testing.T) {
	dump := require.Tool(t, "wabt", "wasm2wat")
	b, names := everyOp(t, true)
	path := filepath.Join(t.TempDir(), "m.wasm")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(dump, "--enable-all", path).CombinedOutput()
	if err != nil {
		t.Fatalf("wasm2wat: %v\n%s", err, out)
	}
	// A function's text is its header, one local.get for each operand, and the instruction.
	var got []string
	for _, f := range strings.Split(string(out), "\n  (func $")[1:] {
		lines := strings.Split(strings.TrimSpace(f), "\n")
		for _, l := range lines[1:] {
			word := strings.Trim(strings.Fields(l)[0], "()")
			if word != "local.get" {
				got = append(got, word)
				break
			}
		}
	}
	if len(got) != len(names) {
		t.Fatalf("%d instructions, want %d", len(got), len(names))
	}
	for i := range names {
		// Releases before the standard was final name the relaxed dot products without the word.
		if got[i] != names[i] && got[i] != strings.Replace(names[i], "relaxed_dot", "dot", 1) {
			t.Errorf("%s is encoded as %s", names[i], got[i])
		}
	}
}

// programs builds a module of small functions that between them use every method that emits.
func programs(t *testing.T) []byte {
	m := NewModule("programs")
	log := m.ImportFunc("env", "log", Sig(I32)())
	m.Memory(Limits{Min: 1, Max: 3, HasMax: true})
	m.ExportMemory("memory")
	counter := m.Global(true, ConstI32(40))
	pi := m.Global(false, ConstF64(3.5))
	m.Global(false, ConstV128([16]byte{1}))
	m.ExportGlobal("pi", pi)
	m.Data(16, []byte("weft"))
	passive := m.PassiveData([]byte("passive!"))

	fact := m.Func("factorial", Sig(I32)(I64))
	n, acc := fact.Param(0, "n"), fact.Local(I64, "acc")
	fact.I64(1).Set(acc)
	fact.Block(func(exit Label) {
		fact.Loop(func(again Label) {
			fact.Get(n).Op(I32Eqz).BrIf(exit)
			fact.Get(acc, n).Op(I64ExtendI32U, I64Mul).Set(acc)
			fact.Get(n).I32(-1).Op(I32Add).Set(n).Br(again)
		})
	})
	fact.Get(acc)
	m.ExportFunc("factorial", fact)
	if m.Exported("factorial") != fact || m.Exported("memory") != nil || m.Exported("absent") != nil {
		t.Error("Exported does not find the functions that are exported")
	}

	swap := m.Func("swap", Sig(I32, F32)(F32, I32)) // two results, a block with parameters, select, tee
	i, x := swap.Param(0), swap.Param(1)
	swap.Get(x, i).BlockType(Sig(F32, I32)(F32, I32), func(exit Label) {
		swap.Tee(i).Get(i).I32(100).Get(i).I32(7).Op(I32GtS).Select().Drop().Br(exit)
	})
	m.ExportFunc("swap", swap)

	pick := m.Func("pick", Sig(I32)(I32)) // br_table
	k := pick.Param(0)
	pick.Block(func(other Label) {
		pick.Block(func(one Label) {
			pick.Block(func(zero Label) { pick.Get(k).BrTable(other, zero, one) })
			pick.I32(10).Return()
		})
		pick.I32(11).Return()
	})
	pick.Nop().I32(-2147483648)
	m.ExportFunc("pick", pick)

	sign := m.Func("sign", Sig(I32)(I32)) // if with result, return, unreachable
	v := sign.Param(0)
	sign.Get(v).I32(0).Op(I32LtS).If(func() { sign.I32(-1) }, func() {
		sign.Get(v).If(func() { sign.I32(1).Return() }, nil)
		sign.Get(v).If(func() { sign.Unreachable() }, func() {}).I32(0)
	}, I32)
	m.ExportFunc("sign", sign)

	one, two := m.Func("one", Sig()(I32)), m.Func("two", Sig()(I32))
	one.I32(1)
	two.I32(2)
	empty, table := m.Table(Limits{}), m.Table(Limits{Min: 2, Max: 2, HasMax: true})
	m.ExportTable("empty", empty)
	m.Elem(table, 0, one, two)
	indirect := m.Func("indirect", Sig(I32)(I32))
	indirect.Get(indirect.Param(0)).CallIndirect(Sig()(I32), table)
	m.ExportFunc("indirect", indirect)

	bulk := m.Func("bulk", Sig()(I32)) // fill, copy, init, drop, size, grow, globals, call
	bulk.I32(64).I32(0x2A).I32(8).MemoryFill()
	bulk.I32(72).I32(16).I32(4).MemoryCopy()
	bulk.I32(76).I32(0).I32(7).MemoryInit(passive).DataDrop(passive)
	bulk.MemorySize().Call(log).I32(1).MemoryGrow().Call(log).AtomicFence()
	bulk.GetGlobal(counter).I32(2).Op(I32Add).SetGlobal(counter).GetGlobal(counter)
	m.ExportFunc("bulk", bulk)

	vec := m.Func("vec", Sig(F32)(I32)) // shuffle, v128 constant, lanes
	vec.Get(vec.Param(0)).Op(F32x4Splat)
	vec.V128([16]byte{0, 0, 0x80, 0x3F, 0, 0, 0, 0x40, 0, 0, 0x40, 0x40, 0, 0, 0x80, 0x40}).Op(F32x4Mul)
	vec.V128([16]byte{}).Shuffle([16]byte{12, 13, 14, 15, 0, 1, 2, 3, 16, 16, 16, 16, 31, 31, 31, 31})
	vec.Lane(F32x4ExtractLane, 0).Op(I32TruncSatF32S)
	m.ExportFunc("vec", vec)

	start := m.Func("start", Sig()())
	start.I32(7).Call(log).F32(1).F64(2).Drop().Drop()
	m.Start(start)
	b, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestProgramsRun(t *testing.T) {
	out := node(t, programs(t), compile+`
		const logged = [];
		const { exports: e } = new WebAssembly.Instance(m, { env: { log: x => logged.push(x) } });
		const got = { fact: String(e.factorial(20)), swap: [e.swap(3, 1.5), e.swap(9, 2.5)], pick: [0, 1, 2, 9].map(e.pick),
			sign: [-5, 0, 5].map(e.sign), indirect: [0, 1].map(e.indirect), bulk: e.bulk(), vec: e.vec(2.5), pi: e.pi.value, logged };
		got.text = Buffer.from(e.memory.buffer, 64, 19).toString();
		console.log(JSON.stringify(got));`)
	want := `{"fact":"2432902008176640000","swap":[[1.5,3],[2.5,9]],"pick":[10,11,-2147483648,-2147483648],` +
		`"sign":[-1,0,1],"indirect":[1,2],"bulk":42,"vec":10,"pi":3.5,"logged":[7,1,1],"text":"********weftpassive"}`
	if out != want {
		var a, b any
		if json.Unmarshal([]byte(out), &a) != nil || json.Unmarshal([]byte(want), &b) != nil {
			t.Error("not JSON")
		}
		t.Errorf("got  %s\nwant %s", out, want)
	}
}

func TestMistakesAreErrors(t *testing.T) {
	other := NewModule("other").Func("g", Sig()())
	for _, c := range []struct {
		name, want string
		emit       func(m *Module, f *Func)
	}{
		{"operand type", "function f, instruction 3 (i32.add): operand is f32, want i32", func(m *Module, f *Func) { f.I32(1).F32(2).Op(I32Add) }},
		{"empty stack", "instruction 1 (i32.eqz): the operand stack is empty, want i32", func(m *Module, f *Func) { f.Op(I32Eqz) }},
		{"left over", "1 more values than the block's results [] are left on the operand stack: [i64]", func(m *Module, f *Func) { f.I64(1) }},
		{"block takes nothing from outside", "the operand stack is empty", func(m *Module, f *Func) { f.I32(1).Block(func(Label) { f.Drop() }) }},
		{"missing result", "instruction 2 (end): the operand stack is empty, want f32", func(m *Module, f *Func) { f.Block(func(Label) {}, F32) }},
		{"if without else", "must give back what it takes", func(m *Module, f *Func) { f.I32(1).If(func() { f.I32(1) }, nil, I32) }},
		{"ended label", "the label's block has ended", func(m *Module, f *Func) {
			var l Label
			f.Block(func(b Label) { l = b }).Br(l)
		}},
		{"foreign local", "another function", func(m *Module, f *Func) { f.Get(m.Func("h", Sig(I32)()).Param(0)) }},
		{"foreign call", "g belongs to another module", func(m *Module, f *Func) { f.Call(other) }},
		{"lane", "lane 4 of 4", func(m *Module, f *Func) { f.V128([16]byte{}).Lane(F32x4ExtractLane, 4) }},
		{"memory without memory", "the module has no memory", func(m *Module, f *Func) { f.I32(0).Mem(I32Load, 0) }},
		{"wrong emitter", "takes a memory argument", func(m *Module, f *Func) { f.I32(0).Op(I32Load) }},
		{"alignment", "alignment 2^3, the natural one is 2^2", func(m *Module, f *Func) {
			m.Memory(Limits{Min: 1})
			f.I32(0).MemAlign(I32Load, 0, 3)
		}},
		{"atomic alignment", "alignment 2^1", func(m *Module, f *Func) {
			m.Memory(Limits{Min: 1})
			f.I32(0).MemAlign(I32AtomicLoad, 0, 1)
		}},
		{"branch values", "operand is i32, want f32", func(m *Module, f *Func) { f.Block(func(l Label) { f.I32(1).Br(l) }, F32).Drop() }},
		{"select", "operand is i64, want f32", func(m *Module, f *Func) { f.I64(1).F32(1).I32(0).Select() }},
		{"unknown instruction", "not in the table", func(m *Module, f *Func) { f.Op(0xFD01FF) }},
		{"two memories", "more than one memory", func(m *Module, f *Func) { m.Memory(Limits{}); m.Memory(Limits{}) }},
		{"limits", "memory limits 2 to 1", func(m *Module, f *Func) { m.Memory(Limits{Min: 2, Max: 1, HasMax: true}) }},
		{"late import", "after the definition", func(m *Module, f *Func) { m.ImportFunc("a", "b", Sig()()) }},
		{"export twice", "two exports are named f", func(m *Module, f *Func) { m.ExportFunc("f", f); m.ExportFunc("f", f) }},
		{"param", "parameter 1 of [] -> []", func(m *Module, f *Func) { f.Param(1) }},
		{"dead code is typed too", "operand is f32, want i32", func(m *Module, f *Func) { f.Unreachable().F32(1).Op(I32Eqz).Drop() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := NewModule("m")
			c.emit(m, m.Func("f", Sig()()))
			_, err := m.Bytes()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestEmitAfterBytes(t *testing.T) {
	m := NewModule("m")
	f := m.Func("f", Sig()())
	if _, err := m.Bytes(); err != nil {
		t.Fatal(err)
	}
	if f.Nop(); f.Err() == nil || !strings.Contains(f.Err().Error(), "after the end") {
		t.Errorf("error %v", f.Err())
	}
}
