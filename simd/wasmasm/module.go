package wasmasm

import (
	"bytes"
	"errors"
	"fmt"
)

// Module collects the parts of a module.
type Module struct {
	name     string
	types    []FuncType
	imports  []entry
	funcs    []*Func // imported ones first
	imported int     // number of imported functions
	tables   []Limits
	globals  []globalDef
	gImports uint32
	memories int
	memory   *Limits // defined here, not imported
	exports  []entry
	elems    []elem
	datas    []data
	start    *Func

	dataCount bool
	terse     bool
	exported  map[string]bool
	err       error
}

// Kinds of imports and exports.
const (
	kindFunc   = 0
	kindTable  = 1
	kindMemory = 2
	kindGlobal = 3
)

// entry is an import or an export, its description encoded.
type entry struct {
	module, name string
	kind         byte
	desc         []byte
}

type globalDef struct {
	g    Global
	init []byte
}

type elem struct {
	table  Table
	offset uint32
	funcs  []*Func
}

type data struct {
	passive bool
	offset  uint32
	bytes   []byte
}

// Global is a global variable of a module.
type Global struct {
	m       *Module
	i       uint32
	t       ValType
	mutable bool
}

// Table is a table of functions.
type Table struct {
	m *Module
	i uint32
}

// Data is a data segment.
type Data struct {
	m *Module
	i uint32
}

// NewModule returns an empty module; the name goes into the name section.
func NewModule(name string) *Module {
	return &Module{name: name, exported: map[string]bool{}}
}

// OmitLocalNames leaves the names of locals out of the name section, where they can take a tenth of the module.
func (m *Module) OmitLocalNames() { m.terse = true }

func (m *Module) fail(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf("weft: wasmasm: module %s: %s", m.name, fmt.Sprintf(format, args...))
	}
}

func (m *Module) typeIndex(t FuncType) uint32 {
	want := t.String()
	for i, have := range m.types {
		if have.String() == want {
			return uint32(i)
		}
	}
	m.types = append(m.types, t)
	return uint32(len(m.types) - 1)
}

// ImportFunc imports a function. Imports come before definitions, because indices count imports first.
func (m *Module) ImportFunc(module, name string, t FuncType) *Func {
	f := &Func{m: m, name: module + "." + name, typ: t, index: uint32(len(m.funcs))}
	if len(m.funcs) > m.imported {
		m.fail("import of %s after the definition of a function", f.name)
	}
	m.imported++
	m.funcs = append(m.funcs, f)
	m.imports = append(m.imports, entry{module, name, kindFunc, appendU32(nil, m.typeIndex(t))})
	return f
}

// ImportMemory imports the module's memory.
func (m *Module) ImportMemory(module, name string, l Limits) {
	if m.addMemory(l) {
		m.imports = append(m.imports, entry{module, name, kindMemory, l.append(nil)})
	}
}

// Memory defines the module's memory.
func (m *Module) Memory(l Limits) {
	if m.addMemory(l) {
		m.memory = &l
	}
}

func (m *Module) addMemory(l Limits) bool {
	m.memories++
	switch {
	case m.memories > 1:
		m.fail("more than one memory")
	case !l.valid(maxPages):
		m.fail("memory limits %d to %d pages, at most %d", l.Min, l.Max, maxPages)
	default:
		return true
	}
	return false
}

// ImportGlobal imports a global.
func (m *Module) ImportGlobal(module, name string, t ValType, mutable bool) Global {
	if len(m.globals) > 0 {
		m.fail("import of %s.%s after the definition of a global", module, name)
	}
	g := Global{m, m.gImports, t, mutable}
	m.gImports++
	m.imports = append(m.imports, entry{module, name, kindGlobal, g.append(nil)})
	return g
}

// Global defines a global.
func (m *Module) Global(mutable bool, init Const) Global {
	g := Global{m, m.gImports + uint32(len(m.globals)), init.t, mutable}
	m.globals = append(m.globals, globalDef{g, init.code})
	return g
}

func (g Global) append(b []byte) []byte {
	if g.mutable {
		return append(b, byte(g.t), 1)
	}
	return append(b, byte(g.t), 0)
}

// Table defines a table of functions.
func (m *Module) Table(l Limits) Table {
	if l.Shared || !l.valid(1<<31) {
		m.fail("table limits %d to %d", l.Min, l.Max)
	}
	m.tables = append(m.tables, l)
	return Table{m, uint32(len(m.tables) - 1)}
}

// Elem puts functions into a table, from the offset on, when the module is instantiated.
func (m *Module) Elem(t Table, offset uint32, funcs ...*Func) {
	if t.m != m {
		m.fail("elements of another module's table")
	}
	m.elems = append(m.elems, elem{t, offset, funcs})
}

// Func defines a function; its body is what is emitted to it.
func (m *Module) Func(name string, t FuncType) *Func {
	f := &Func{
		m: m, name: name, typ: t, index: uint32(len(m.funcs)),
		locals: append([]ValType(nil), t.Params...), names: make([]string, len(t.Params)), body: []byte{},
	}
	f.open(FuncType{Results: t.Results}, false)
	m.typeIndex(t)
	m.funcs = append(m.funcs, f)
	return f
}

// Data adds a segment that is copied to the offset when the module is instantiated.
func (m *Module) Data(offset uint32, bytes []byte) Data {
	if m.memories == 0 {
		m.fail("a data segment without memory")
	}
	m.datas = append(m.datas, data{false, offset, bytes})
	return Data{m, uint32(len(m.datas) - 1)}
}

// PassiveData adds a segment for [Func.MemoryInit].
func (m *Module) PassiveData(bytes []byte) Data {
	m.datas = append(m.datas, data{true, 0, bytes})
	m.dataCount = true
	return Data{m, uint32(len(m.datas) - 1)}
}

func (m *Module) export(name string, kind byte, index uint32) {
	if m.exported[name] {
		m.fail("two exports are named %s", name)
	}
	m.exported[name] = true
	m.exports = append(m.exports, entry{name: name, kind: kind, desc: appendU32(nil, index)})
}

// ExportFunc exports a function.
func (m *Module) ExportFunc(name string, f *Func) {
	if f.m != m {
		m.fail("export of %s, a function of another module", name)
	}
	m.export(name, kindFunc, f.index)
}

// Exported returns the function that is exported under the name, or nil.
func (m *Module) Exported(name string) *Func {
	for _, e := range m.exports {
		if e.name == name && e.kind == kindFunc {
			for _, f := range m.funcs {
				if bytes.Equal(appendU32(nil, f.index), e.desc) {
					return f
				}
			}
		}
	}
	return nil
}

// ExportMemory exports the memory.
func (m *Module) ExportMemory(name string) {
	if m.memories == 0 {
		m.fail("export of %s without memory", name)
	}
	m.export(name, kindMemory, 0)
}

// ExportGlobal exports a global.
func (m *Module) ExportGlobal(name string, g Global) { m.export(name, kindGlobal, g.i) }

// ExportTable exports a table.
func (m *Module) ExportTable(name string, t Table) { m.export(name, kindTable, t.i) }

// Start names a function that runs when the module is instantiated.
func (m *Module) Start(f *Func) {
	if f.m != m || len(f.typ.Params)+len(f.typ.Results) > 0 {
		m.fail("the start function %s is %s", f.name, f.typ)
	}
	m.start = f
}

// finish ends every function's body and gathers the errors.
func (m *Module) finish() error {
	errs := []error{m.err}
	for _, f := range m.funcs[m.imported:] {
		if f.err == nil && len(f.ctrls) > 0 {
			f.end()
		}
		errs = append(errs, f.err)
	}
	return errors.Join(errs...)
}
