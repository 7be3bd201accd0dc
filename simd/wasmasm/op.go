package wasmasm

import "strconv"

// Op is an instruction whose operand types are fixed: arithmetic, comparisons, conversions, and the accesses to
// memory. Its value is the opcode, with the prefix byte above the low 16 bits.
type Op uint32

// Instructions that methods of Func emit; their immediates are not in the table.
const (
	opUnreachable  = 0x00
	opNop          = 0x01
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0B
	opBr           = 0x0C
	opBrIf         = 0x0D
	opBrTable      = 0x0E
	opReturn       = 0x0F
	opCall         = 0x10
	opCallIndirect = 0x11
	opDrop         = 0x1A
	opSelect       = 0x1B
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opMemorySize   = 0x3F
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44

	opMemoryInit  Op = 0xFC0008
	opDataDrop    Op = 0xFC0009
	opMemoryCopy  Op = 0xFC000A
	opMemoryFill  Op = 0xFC000B
	opV128Const   Op = 0xFD000C
	opShuffle     Op = 0xFD000D
	opAtomicFence Op = 0xFE0003
)

// immediate kinds of an Op
const (
	immMem  = 1 << iota // a memory argument
	immLane             // a lane index
)

// opInfo describes an Op.
type opInfo struct {
	name         string
	operands     string // one letter each: i I f d v
	results      string
	imm          uint8
	align, lanes uint8 // natural alignment as a power of two; number of lanes
}

// String returns the instruction's name in the text format.
func (op Op) String() string {
	if info, ok := opTable[op]; ok {
		return info.name
	}
	return "instruction 0x" + strconv.FormatUint(uint64(op), 16)
}

// Ops returns every Op, in the order of their opcodes.
func Ops() []Op { return append([]Op(nil), opList[:]...) }

// Type returns the operands and results of the instruction, and whether it takes a memory argument and how many
// lanes its lane index selects from (0 if it has none).
func (op Op) Type() (t FuncType, memory bool, lanes int) {
	info := opTable[op]
	return FuncType{letters(info.operands), letters(info.results)}, info.imm&immMem != 0, int(info.lanes)
}

// atomic reports whether the instruction demands its natural alignment.
func (op Op) atomic() bool { return op>>16 == 0xFE }

func letters(s string) []ValType {
	ts := make([]ValType, len(s))
	for i := range s {
		ts[i] = letter(s[i])
	}
	return ts
}

func letter(c byte) ValType {
	switch c {
	case 'i':
		return I32
	case 'I':
		return I64
	case 'f':
		return F32
	case 'd':
		return F64
	}
	return V128
}

// appendOp appends an opcode with its prefix.
func appendOp(b []byte, op Op) []byte {
	if prefix := byte(op >> 16); prefix != 0 {
		return appendU32(append(b, prefix), uint32(op&0xFFFF))
	}
	return append(b, byte(op))
}
