package gowasm

import (
	"fmt"
	"go/constant"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/weft-ml/weft/simd/wasmasm"
)

// Options say what the compiler cannot see in the code.
type Options struct {
	// Imports are the functions that //go:wasmimport declarations name, whatever their import module.
	Imports map[string]*wasmasm.Func
	// Intrinsics replace functions, named as package path, dot, name, by instructions: the arguments are on the stack.
	Intrinsics map[string]func(f *wasmasm.Func)
	// Fields are struct fields whose value is known, named as package path, type and field.
	Fields map[string]constant.Value
	// Specialise lists types (package path, dot, name): a function is compiled once for each constant of such a type that it is called with.
	Specialise map[string]bool
	// Shared lists variables that both sides use, named as package path, dot, name, in the order of the table of addresses.
	Shared []string
	// Constant lists variables (package path, dot, name) that are never written although their address is passed to functions.
	Constant map[string]bool
	// Log, when set, gets a line for every function compiled.
	Log func(string)
}

// Compiler compiles functions of one program into one module. Every module of it needs the memory to be there already.
type Compiler struct {
	opt  Options
	m    *wasmasm.Module
	prog *program

	// Stack is the address below which functions keep variables whose address is taken; it grows downwards.
	Stack wasmasm.Global
	// Failed is set to 1 by a function that reaches a panic of the program; every function up to the caller then returns zeros.
	Failed wasmasm.Global
	// Data is the address of [Compiler.StaticData] in memory, Table that of the addresses of the shared variables, 8 bytes each.
	Data, Table wasmasm.Global

	static  []byte // constant tables
	statics map[*ssa.Global]int
	funcs   map[string]*compiled
	running []string // keys of the functions being compiled, outermost first
	relocs  []reloc
}

// reloc is an address in the static data that points into the static data.
type reloc struct{ at, to int }

// compiled is a function in the module.
type compiled struct {
	name    string
	f       *wasmasm.Func
	results []part
	mayFail bool
	done    bool
}

// New returns a compiler of the program's functions into a module.
func New(p *Program, m *wasmasm.Module, opt Options) *Compiler {
	zero := wasmasm.ConstI32(0)
	return &Compiler{
		opt: opt, m: m, prog: p.index(), funcs: map[string]*compiled{}, statics: map[*ssa.Global]int{},
		Stack: m.Global(true, zero), Failed: m.Global(true, zero), Data: m.Global(true, zero), Table: m.Global(true, zero),
	}
}

// StaticData returns the constant tables that the compiled functions read; it is to be put at the address Data, a
// multiple of 16, before they run.
func (c *Compiler) StaticData() []byte { return c.static }

// unsupported is why a function cannot be compiled.
type unsupported struct{ reason string }

func (u unsupported) Error() string { return u.reason }

func fail(format string, args ...any) { panic(unsupported{fmt.Sprintf(format, args...)}) }

// Compile compiles a function and everything it calls. Parameters and results are taken apart into scalars. After an error the
// module has functions without a body: it is of no use.
func (c *Compiler) Compile(fn *ssa.Function) (f *wasmasm.Func, err error) {
	c.running = c.running[:0]
	defer func() {
		if r := recover(); r != nil {
			u, ok := r.(unsupported)
			if !ok {
				panic(r)
			}
			where := ""
			for _, k := range c.running {
				where = c.funcs[k].name + ": "
				delete(c.funcs, k)
			}
			err = unsupported{where + u.reason}
		}
	}()
	return c.function(&funcRef{fn: fn}, nil).f, nil
}

// argument is what a caller knows of an argument while it compiles.
type argument struct {
	konst constant.Value // of a type in Specialise
	fn    *funcRef
}

// funcRef is a function value that is known. Its parts are the variables that it captures, or, where it comes from memory, the address
// of Go's closure.
type funcRef struct {
	fn     *ssa.Function   // nil: a nil function
	others []*ssa.Function // with fn the functions that the value can be; its part is the number of one
	memory bool
	static map[*ssa.FreeVar]binding // the captured variables, when their values are known
}

func (r *funcRef) parts() []part {
	switch {
	case r.others != nil:
		return scalar(wasmasm.I32, types.Int32, 4)
	case r.fn == nil || len(r.fn.FreeVars) == 0 || r.static != nil:
		return nil
	case r.memory:
		return scalar(wasmasm.I32, types.UnsafePointer, 8)
	}
	var ps []part
	for _, v := range r.fn.FreeVars {
		ps = append(ps, parts(v.Type())...)
	}
	return ps
}

func (r *funcRef) key() string {
	k := "nil"
	if r.fn != nil {
		k = fmt.Sprintf("%s@%p", r.fn, r.fn)
	}
	if r.memory {
		k += "*"
	}
	if r.static != nil {
		k += "!"
	}
	return k
}

// function returns a function of the module for ref with the given knowledge of its arguments.
func (c *Compiler) function(ref *funcRef, args []argument) *compiled {
	fn, key := ref.fn, ref.key()
	for _, a := range args {
		switch {
		case a.konst != nil:
			key += "," + a.konst.ExactString()
		case a.fn != nil:
			key += "," + a.fn.key()
		default:
			key += ","
		}
	}
	if done := c.funcs[key]; done != nil {
		if !done.done { // it calls itself; whether it can fail is not known yet
			if done.f == nil {
				fail("%s needs itself to be compiled", fn)
			}
			done.mayFail = true
		}
		return done
	}
	c.running = append(c.running, key)
	e := &compiled{name: fn.String()}
	c.funcs[key] = e
	if fn.Blocks == nil {
		fail("no body, and no //go:wasmimport")
	}
	g := &function{c: c, fn: fn, ref: ref, out: e, args: args}
	g.root = g
	g.compile()
	e.done = true
	c.running = c.running[:len(c.running)-1]
	if c.opt.Log != nil {
		c.opt.Log(key)
	}
	return e
}

// qualified returns a function's or variable's name as Options spell it.
func qualified(pkg *types.Package, name string) string {
	if pkg == nil {
		return name
	}
	return pkg.Path() + "." + name
}

func funcName(fn *ssa.Function) string {
	if o := fn.Origin(); o != nil {
		fn = o
	}
	if fn.Pkg == nil {
		return fn.String()
	}
	if fn.Signature.Recv() != nil {
		return fn.String()
	}
	return qualified(fn.Pkg.Pkg, fn.Name())
}

// Start adds the function that prepares an instance: it takes the address where the stack starts, that of a place for
// [Compiler.StaticData], that of the table of shared variables, and whether to write the static data to its place.
func (c *Compiler) Start(name string) *wasmasm.Func {
	f := c.m.Func(name, wasmasm.Sig(wasmasm.I32, wasmasm.I32, wasmasm.I32, wasmasm.I32)())
	stack, data, table, write := f.Param(0, "stack"), f.Param(1, "data"), f.Param(2, "table"), f.Param(3, "write")
	f.Get(stack).SetGlobal(c.Stack).Get(data).SetGlobal(c.Data).Get(table).SetGlobal(c.Table)
	if len(c.static) > 0 {
		d := c.m.PassiveData(c.static)
		f.Get(write).If(func() {
			f.Get(data).I32(0).I32(int32(len(c.static))).MemoryInit(d)
			for _, r := range c.relocs {
				f.Get(data).Get(data).I32(int32(r.to)).Op(wasmasm.I32Add).Mem(wasmasm.I32Store, uint32(r.at))
			}
		}, nil)
	}
	return f
}
