package wasmasm

// Section ids, in the order in which sections are written.
const (
	secCustom    = 0
	secType      = 1
	secImport    = 2
	secFunction  = 3
	secTable     = 4
	secMemory    = 5
	secGlobal    = 6
	secExport    = 7
	secStart     = 8
	secElem      = 9
	secDataCount = 12
	secCode      = 10
	secData      = 11
)

// Bytes ends the functions and returns the binary module, or what is wrong with it. No instruction can be emitted after it.
func (m *Module) Bytes() ([]byte, error) {
	if err := m.finish(); err != nil {
		return nil, err
	}
	out := []byte("\x00asm\x01\x00\x00\x00")
	section := func(id byte, n int, body func(b []byte) []byte) {
		if n > 0 {
			out = appendVec(append(out, id), body(appendU32(nil, uint32(n))))
		}
	}
	section(secType, len(m.types), func(b []byte) []byte {
		for _, t := range m.types {
			b = appendTypes(append(b, 0x60), t.Params)
			b = appendTypes(b, t.Results)
		}
		return b
	})
	section(secImport, len(m.imports), func(b []byte) []byte {
		for _, e := range m.imports {
			b = append(append(appendName(appendName(b, e.module), e.name), e.kind), e.desc...)
		}
		return b
	})
	defined := m.funcs[m.imported:]
	section(secFunction, len(defined), func(b []byte) []byte {
		for _, f := range defined {
			b = appendU32(b, m.typeIndex(f.typ))
		}
		return b
	})
	section(secTable, len(m.tables), func(b []byte) []byte {
		for _, l := range m.tables {
			b = l.append(append(b, byte(FuncRef)))
		}
		return b
	})
	if m.memory != nil {
		section(secMemory, 1, m.memory.append)
	}
	section(secGlobal, len(m.globals), func(b []byte) []byte {
		for _, g := range m.globals {
			b = append(append(g.g.append(b), g.init...), opEnd)
		}
		return b
	})
	section(secExport, len(m.exports), func(b []byte) []byte {
		for _, e := range m.exports {
			b = append(append(appendName(b, e.name), e.kind), e.desc...)
		}
		return b
	})
	if m.start != nil {
		out = appendVec(append(out, secStart), appendU32(nil, m.start.index))
	}
	section(secElem, len(m.elems), m.appendElems)
	if m.dataCount {
		out = appendVec(append(out, secDataCount), appendU32(nil, uint32(len(m.datas))))
	}
	section(secCode, len(defined), func(b []byte) []byte {
		for _, f := range defined {
			b = appendVec(b, append(f.appendLocals(nil), f.body...))
		}
		return b
	})
	section(secData, len(m.datas), func(b []byte) []byte {
		for _, d := range m.datas {
			if d.passive {
				b = append(b, 1)
			} else {
				b = append(append(append(b, 0), ConstI32(int32(d.offset)).code...), opEnd)
			}
			b = appendVec(b, d.bytes)
		}
		return b
	})
	return appendVec(append(out, secCustom), m.appendNames(nil)), nil
}

func appendTypes(b []byte, ts []ValType) []byte {
	b = appendU32(b, uint32(len(ts)))
	for _, t := range ts {
		b = append(b, byte(t))
	}
	return b
}

func (m *Module) appendElems(b []byte) []byte {
	for _, e := range m.elems {
		if e.table.i == 0 {
			b = append(b, 0)
		} else {
			b = appendU32(append(b, 2), e.table.i)
		}
		b = append(append(b, ConstI32(int32(e.offset)).code...), opEnd)
		if e.table.i != 0 {
			b = append(b, 0) // element kind: functions
		}
		b = appendU32(b, uint32(len(e.funcs)))
		for _, f := range e.funcs {
			b = appendU32(b, f.index)
		}
	}
	return b
}

// appendLocals writes the local variables, runs of one type together.
func (f *Func) appendLocals(b []byte) []byte {
	var runs []byte
	n := uint32(0)
	vars := f.locals[len(f.typ.Params):]
	for i := 0; i < len(vars); n++ {
		j := i
		for j < len(vars) && vars[j] == vars[i] {
			j++
		}
		runs = append(appendU32(runs, uint32(j-i)), byte(vars[i]))
		i = j
	}
	return append(appendU32(b, n), runs...)
}

// appendNames writes the name section: debuggers and profilers show these names.
func (m *Module) appendNames(b []byte) []byte {
	b = appendName(b, "name")
	b = appendVec(append(b, 0), appendName(nil, m.name))

	funcs := appendU32(nil, uint32(len(m.funcs)))
	var locals []byte
	n := uint32(0)
	for _, f := range m.funcs {
		funcs = appendName(appendU32(funcs, f.index), f.name)
		var names []byte
		k := uint32(0)
		for i, name := range f.names {
			if name != "" {
				names = appendName(appendU32(names, uint32(i)), name)
				k++
			}
		}
		if k > 0 && !m.terse {
			locals = append(appendU32(appendU32(locals, f.index), k), names...)
			n++
		}
	}
	b = appendVec(append(b, 1), funcs)
	if n > 0 {
		b = appendVec(append(b, 2), append(appendU32(nil, n), locals...))
	}
	return b
}
