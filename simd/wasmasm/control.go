package wasmasm

// Label names a block for branches: its end, or its beginning if it is a loop.
type Label struct {
	f     *Func
	depth int
	id    int
}

// Block emits a block; a branch to its label leaves it.
func (f *Func) Block(body func(exit Label), results ...ValType) *Func {
	return f.BlockType(FuncType{Results: results}, body)
}

// BlockType is [Func.Block] for a block that takes values from the stack.
func (f *Func) BlockType(t FuncType, body func(exit Label)) *Func {
	return f.block("block", opBlock, t, body)
}

// Loop emits a loop; a branch to its label starts it again, and running past its end leaves it.
func (f *Func) Loop(body func(again Label), results ...ValType) *Func {
	return f.LoopType(FuncType{Results: results}, body)
}

// LoopType is [Func.Loop] for a loop that takes values from the stack.
func (f *Func) LoopType(t FuncType, body func(again Label)) *Func {
	return f.block("loop", opLoop, t, body)
}

func (f *Func) block(name string, op byte, t FuncType, body func(Label)) *Func {
	if !f.begin(name) {
		return f
	}
	f.popAll(t.Params)
	f.body = f.appendBlockType(append(f.body, op), t)
	label := f.open(t, op == opLoop)
	body(label)
	f.end()
	return f
}

// If pops a condition and emits then for a value that is not zero, and else, which may be nil, for zero.
func (f *Func) If(then, otherwise func(), results ...ValType) *Func {
	return f.IfType(FuncType{Results: results}, then, otherwise)
}

// IfType is [Func.If] for branches that take values from the stack.
func (f *Func) IfType(t FuncType, then, otherwise func()) *Func {
	if !f.begin("if") {
		return f
	}
	f.pop(I32)
	f.popAll(t.Params)
	f.body = f.appendBlockType(append(f.body, opIf), t)
	f.open(t, false)
	then()
	if otherwise == nil {
		if f.err == nil && list(t.Params) != list(t.Results) {
			f.at = "if"
			f.fail("without else its type %s must give back what it takes", t)
		}
		f.end()
		return f
	}
	if f.begin("else") {
		f.close()
		f.body = append(f.body, opElse)
		f.open(t, false)
		otherwise()
		f.end()
	}
	return f
}

// end closes the innermost block and pushes its results.
func (f *Func) end() {
	if f.begin("end") {
		c := f.close()
		f.body = append(f.body, opEnd)
		f.push(c.end...)
	}
}

func (f *Func) appendBlockType(b []byte, t FuncType) []byte {
	switch {
	case len(t.Params) == 0 && len(t.Results) == 0:
		return append(b, 0x40)
	case len(t.Params) == 0 && len(t.Results) == 1:
		return append(b, byte(t.Results[0]))
	}
	return appendS64(b, int64(f.m.typeIndex(t)))
}

// target returns the frame that a label names and the relative depth that encodes it.
func (f *Func) target(l Label) (*ctrl, uint32, bool) {
	if l.f != f || l.depth >= len(f.ctrls) || f.ctrls[l.depth].id != l.id {
		f.fail("the label's block has ended or belongs to another function")
		return nil, 0, false
	}
	return &f.ctrls[l.depth], uint32(len(f.ctrls) - 1 - l.depth), true
}

// Br branches.
func (f *Func) Br(l Label) *Func {
	if f.begin("br") {
		if c, depth, ok := f.target(l); ok {
			f.body = appendU32(append(f.body, opBr), depth)
			f.popAll(c.branch())
			f.dead()
		}
	}
	return f
}

// BrIf pops a condition and branches if it is not zero.
func (f *Func) BrIf(l Label) *Func {
	if f.begin("br_if") {
		if c, depth, ok := f.target(l); ok {
			f.body = appendU32(append(f.body, opBrIf), depth)
			f.pop(I32)
			ts := c.branch()
			f.popAll(ts)
			f.push(ts...)
		}
	}
	return f
}

// BrTable pops an index and branches to that label, or to otherwise if there are not so many.
func (f *Func) BrTable(otherwise Label, labels ...Label) *Func {
	if !f.begin("br_table") {
		return f
	}
	c, depth, ok := f.target(otherwise)
	if !ok {
		return f
	}
	f.body = appendU32(append(f.body, opBrTable), uint32(len(labels)))
	for _, l := range labels {
		other, d, ok := f.target(l)
		if !ok {
			return f
		}
		if list(other.branch()) != list(c.branch()) {
			f.fail("labels take %s and %s", list(other.branch()), list(c.branch()))
			return f
		}
		f.body = appendU32(f.body, d)
	}
	f.body = appendU32(f.body, depth)
	f.pop(I32)
	f.popAll(c.branch())
	f.dead()
	return f
}

// Return leaves the function with its results.
func (f *Func) Return() *Func {
	if f.begin("return") {
		f.body = append(f.body, opReturn)
		f.popAll(f.typ.Results)
		f.dead()
	}
	return f
}

// Unreachable traps.
func (f *Func) Unreachable() *Func {
	if f.begin("unreachable") {
		f.body = append(f.body, opUnreachable)
		f.dead()
	}
	return f
}

// Nop does nothing.
func (f *Func) Nop() *Func {
	if f.begin("nop") {
		f.body = append(f.body, opNop)
	}
	return f
}

// Call calls a function of the same module.
func (f *Func) Call(callee *Func) *Func {
	if f.begin("call") {
		if callee.m != f.m {
			f.fail("%s belongs to another module", callee.name)
			return f
		}
		f.at = "call " + callee.name
		f.body = appendU32(append(f.body, opCall), callee.index)
		f.popAll(callee.typ.Params)
		f.push(callee.typ.Results...)
	}
	return f
}

// CallIndirect pops an index into the table and calls the function there, which must be of the type.
func (f *Func) CallIndirect(t FuncType, table Table) *Func {
	if f.begin("call_indirect") {
		if table.m != f.m {
			f.fail("the table belongs to another module")
			return f
		}
		f.body = appendU32(appendU32(append(f.body, opCallIndirect), f.m.typeIndex(t)), table.i)
		f.pop(I32)
		f.popAll(t.Params)
		f.push(t.Results...)
	}
	return f
}
