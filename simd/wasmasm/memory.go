package wasmasm

// needMemory reports whether the module has a memory, and fails the function otherwise.
func (f *Func) needMemory() bool {
	if f.m.memories == 0 {
		f.fail("the module has no memory")
		return false
	}
	return true
}

// Mem emits a load, store or atomic access at the address operand plus offset, with the natural alignment as hint.
func (f *Func) Mem(op Op, offset uint32) *Func {
	return f.access(op, offset, int(opTable[op].align), -1)
}

// MemAlign is [Func.Mem] with another alignment hint, 2^align bytes; atomic accesses allow only the natural one.
func (f *Func) MemAlign(op Op, offset uint32, align int) *Func {
	return f.access(op, offset, align, -1)
}

// MemLane emits a load to, or store of, one lane of a vector.
func (f *Func) MemLane(op Op, offset uint32, lane int) *Func {
	if lane < 0 {
		lane = 255
	}
	return f.access(op, offset, int(opTable[op].align), lane)
}

func (f *Func) access(op Op, offset uint32, align, lane int) *Func {
	info := opTable[op]
	if !f.begin(op.String()) || !f.needMemory() {
		return f
	}
	switch natural := int(info.align); {
	case info.imm&immMem == 0:
		f.fail("does not access memory")
	case (info.imm&immLane != 0) != (lane >= 0):
		f.fail("MemLane is for the instructions that load or store one lane")
	case lane >= int(info.lanes) && lane >= 0:
		f.fail("lane %d of %d", lane, info.lanes)
	case align < 0 || align > natural || op.atomic() && align != natural:
		f.fail("alignment 2^%d, the natural one is 2^%d", align, natural)
	default:
		f.body = appendU32(appendU32(appendOp(f.body, op), uint32(align)), offset)
		if lane >= 0 {
			f.body = append(f.body, byte(lane))
		}
		f.apply(info.operands, info.results)
	}
	return f
}

// MemorySize pushes the memory's size in pages.
func (f *Func) MemorySize() *Func { return f.bulk("memory.size", "", "i", opMemorySize, 0) }

// MemoryGrow pops a number of pages and pushes the size before, or -1.
func (f *Func) MemoryGrow() *Func { return f.bulk("memory.grow", "i", "i", opMemoryGrow, 0) }

// MemoryCopy pops destination, source and length in bytes; the ranges may overlap.
func (f *Func) MemoryCopy() *Func { return f.bulk("memory.copy", "iii", "", opMemoryCopy, 0, 0) }

// MemoryFill pops destination, byte value and length.
func (f *Func) MemoryFill() *Func { return f.bulk("memory.fill", "iii", "", opMemoryFill, 0) }

// AtomicFence orders this thread's accesses to shared memory.
func (f *Func) AtomicFence() *Func {
	if f.begin("atomic.fence") {
		f.body = append(appendOp(f.body, opAtomicFence), 0)
	}
	return f
}

// MemoryInit pops destination, offset in the passive segment and length.
func (f *Func) MemoryInit(d Data) *Func {
	if !f.begin("memory.init") || !f.needMemory() || !f.segment(d) {
		return f
	}
	f.body = append(appendU32(appendOp(f.body, opMemoryInit), d.i), 0)
	f.apply("iii", "")
	return f
}

// DataDrop frees a passive segment.
func (f *Func) DataDrop(d Data) *Func {
	if f.begin("data.drop") && f.segment(d) {
		f.body = appendU32(appendOp(f.body, opDataDrop), d.i)
	}
	return f
}

func (f *Func) segment(d Data) bool {
	if d.m != f.m {
		f.fail("the data segment belongs to another module")
		return false
	}
	f.m.dataCount = true
	return true
}

func (f *Func) bulk(name, operands, results string, op Op, imm ...byte) *Func {
	if f.begin(name) && f.needMemory() {
		f.body = append(appendOp(f.body, op), imm...)
		f.apply(operands, results)
	}
	return f
}
