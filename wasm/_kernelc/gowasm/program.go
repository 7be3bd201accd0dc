package gowasm

import (
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"os"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/ssa/ssautil"
)

// Program is a set of packages as the js build sees them, in SSA form.
type Program struct {
	SSA      *ssa.Program
	Packages map[string]*ssa.Package

	syntax  []*ast.File
	indexed *program
}

// Load loads packages, and what they import, from source. dir lies in the module that the patterns are relative to.
func Load(dir string, patterns ...string) (*Program, error) {
	cfg := &packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedDeps |
			packages.NeedTypes | packages.NeedTypesSizes | packages.NeedSyntax | packages.NeedTypesInfo,
		Dir: dir,
		Env: append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFLAGS=", "CGO_ENABLED=0"),
	}
	pkgs, err := packages.Load(cfg, patterns...)
	if err != nil {
		return nil, err
	}
	var errs []error
	p := &Program{Packages: map[string]*ssa.Package{}}
	packages.Visit(pkgs, nil, func(k *packages.Package) {
		for _, e := range k.Errors {
			errs = append(errs, e)
		}
		p.syntax = append(p.syntax, k.Syntax...)
	})
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("loading: %w", err)
	}
	p.SSA, _ = ssautil.AllPackages(pkgs, ssa.InstantiateGenerics)
	p.SSA.Build()
	for _, k := range p.SSA.AllPackages() {
		p.Packages[k.Pkg.Path()] = k
	}
	return p, nil
}

// Func returns a package's function.
func (p *Program) Func(pkg, name string) *ssa.Function {
	if k := p.Packages[pkg]; k != nil {
		return k.Func(name)
	}
	return nil
}

// field identifies a field of a named or unnamed struct type.
type field struct {
	typ   types.Type // the struct
	index int
}

// program is what the compiler has to know of the whole program.
type program struct {
	calls   map[*ssa.Function][]*ssa.CallCommon // static calls of a function
	funcs   map[field][]storedFunc              // functions stored in fields of function type, wherever that happens
	written map[*ssa.Global]bool                // by something other than its initialiser
	inits   map[*ssa.Global][]ssa.Instruction
	imports map[*types.Func]string // names of imported functions
	noExit  map[*ssa.Function]bool
}

// storedFunc is a function value stored in a field.
type storedFunc struct {
	fn      *ssa.Function
	closure *ssa.MakeClosure // nil when it captures nothing
	unknown bool
}

func (p *Program) index() *program {
	if p.indexed != nil {
		return p.indexed
	}
	x := &program{
		calls: map[*ssa.Function][]*ssa.CallCommon{}, funcs: map[field][]storedFunc{}, written: map[*ssa.Global]bool{}, inits: map[*ssa.Global][]ssa.Instruction{},
		imports: map[*types.Func]string{}, noExit: map[*ssa.Function]bool{},
	}
	p.indexed = x
	for _, f := range p.syntax {
		for _, d := range f.Decls {
			fd, ok := d.(*ast.FuncDecl)
			if !ok || fd.Body != nil || fd.Doc == nil {
				continue
			}
			for _, l := range fd.Doc.List {
				if rest, ok := strings.CutPrefix(l.Text, "//go:wasmimport "); ok {
					if w := strings.Fields(rest); len(w) == 2 {
						x.imports[p.object(fd)] = w[1]
					}
				}
			}
		}
	}
	for fn := range ssautil.AllFunctions(p.SSA) {
		init := fn.Synthetic == "package initializer"
		for _, b := range fn.Blocks {
			for _, in := range b.Instrs {
				if st, ok := in.(*ssa.Store); ok {
					x.store(st)
				}
				x.globals(in, init)
				if c, ok := in.(ssa.CallInstruction); ok {
					if callee := c.Common().StaticCallee(); callee != nil {
						x.calls[callee] = append(x.calls[callee], c.Common())
					}
				}
			}
		}
	}
	return x
}

// object returns the function that a declaration declares.
func (p *Program) object(fd *ast.FuncDecl) *types.Func {
	for _, k := range p.SSA.AllPackages() {
		if m, ok := k.Members[fd.Name.Name].(*ssa.Function); ok && m.Syntax() == fd {
			return m.Object().(*types.Func)
		}
	}
	return nil
}

// store notes a function that is stored in a field.
func (x *program) store(st *ssa.Store) {
	if _, ok := st.Val.Type().Underlying().(*types.Signature); !ok {
		return
	}
	fa, ok := st.Addr.(*ssa.FieldAddr)
	if !ok {
		return
	}
	k := field{deref(fa.X.Type()), fa.Field}
	s := storedFunc{unknown: true}
	switch v := st.Val.(type) {
	case *ssa.Function:
		s = storedFunc{fn: v}
	case *ssa.MakeClosure:
		s = storedFunc{fn: v.Fn.(*ssa.Function), closure: v}
	case *ssa.Const:
		return // nil
	}
	for _, have := range x.funcs[k] {
		if have.fn == s.fn && have.unknown == s.unknown {
			return
		}
	}
	x.funcs[k] = append(x.funcs[k], s)
}

// globals notes which package variables an instruction may change.
func (x *program) globals(in ssa.Instruction, init bool) {
	var root func(v ssa.Value) *ssa.Global
	root = func(v ssa.Value) *ssa.Global {
		switch v := v.(type) {
		case *ssa.Global:
			return v
		case *ssa.FieldAddr:
			return root(v.X)
		case *ssa.IndexAddr:
			if _, ok := v.X.Type().Underlying().(*types.Pointer); ok {
				return root(v.X)
			}
		}
		return nil
	}
	switch in := in.(type) {
	case *ssa.UnOp, *ssa.FieldAddr, *ssa.IndexAddr, *ssa.Slice, *ssa.DebugRef:
		return // reads, and addresses whose uses are looked at in turn
	case *ssa.Store:
		if g := root(in.Addr); g != nil {
			if init {
				x.inits[g] = append(x.inits[g], in)
			} else {
				x.written[g] = true
			}
		}
		if g := root(in.Val); g != nil {
			x.written[g] = true // its address goes elsewhere
		}
		return
	}
	if init {
		return
	}
	var ops [8]*ssa.Value
	for _, op := range in.Operands(ops[:0]) {
		if *op != nil {
			if _, ok := (*op).(*ssa.Function); ok {
				continue
			}
			if g := root(*op); g != nil {
				x.written[g] = true
			}
		}
	}
}

// noReturn reports whether every call of a function ends in a panic.
func (x *program) noReturn(fn *ssa.Function) bool {
	if fn == nil || fn.Blocks == nil {
		return false
	}
	if r, ok := x.noExit[fn]; ok {
		return r
	}
	r := true
	for _, b := range fn.Blocks {
		if len(b.Instrs) == 0 {
			continue
		}
		if _, ok := b.Instrs[len(b.Instrs)-1].(*ssa.Return); ok {
			r = false
		}
	}
	x.noExit[fn] = r
	return r
}

// binding is a captured variable whose value is known.
type binding struct {
	global *ssa.Global // its address is the value
	field  string      // the value is that of a field in Options.Fields
}

// bindings returns the values of the variables that a closure captures, if they are never anything else: the address of a package
// variable that every call of the enclosing function passes, or a field whose value Options gives.
func (x *program) bindings(c *ssa.MakeClosure, fields map[string]constant.Value) map[*ssa.FreeVar]binding {
	bs := map[*ssa.FreeVar]binding{}
	for i, v := range c.Fn.(*ssa.Function).FreeVars {
		a, ok := c.Bindings[i].(*ssa.Alloc)
		if !ok {
			return nil
		}
		var val ssa.Value
		for _, in := range *a.Referrers() {
			if st, ok := in.(*ssa.Store); ok && st.Addr == a {
				if val != nil {
					return nil
				}
				val = st.Val
			}
		}
		var b binding
		switch val := val.(type) {
		case *ssa.Parameter:
			b.global = x.always(val)
		case *ssa.UnOp:
			if fa, ok := val.X.(*ssa.FieldAddr); ok && fields[fieldName(fa)] != nil {
				b.field = fieldName(fa)
			}
		}
		if b == (binding{}) {
			return nil
		}
		bs[v] = b
	}
	return bs
}

// always returns the package variable whose address every call passes for a parameter, or nil.
func (x *program) always(p *ssa.Parameter) *ssa.Global {
	i := slices.Index(p.Parent().Params, p)
	var g *ssa.Global
	for _, c := range x.calls[p.Parent()] {
		var of *ssa.Global
		switch a := c.Args[i].(type) {
		case *ssa.Global:
			of = a
		case *ssa.UnOp, *ssa.Alloc:
		case *ssa.Parameter:
			of = x.always(a)
		}
		if of == nil || g != nil && of != g {
			return nil
		}
		g = of
	}
	return g
}
