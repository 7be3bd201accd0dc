package wasmasm

import "fmt"

// ctrl is a frame of the control stack of the specification's validation algorithm.
type ctrl struct {
	id          int // distinguishes labels of blocks that have ended
	loop        bool
	start, end  []ValType
	height      int // of the operand stack at entry
	unreachable bool
}

// branch returns the types that a branch to the frame takes.
func (c *ctrl) branch() []ValType {
	if c.loop {
		return c.start
	}
	return c.end
}

// fail keeps the first error of the function.
func (f *Func) fail(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf("weft: wasmasm: function %s, instruction %d (%s): %s", f.name, f.count, f.at, fmt.Sprintf(format, args...))
	}
}

// begin starts an instruction; it reports whether there is anything to emit to.
func (f *Func) begin(name string) bool {
	if f.err != nil {
		return false
	}
	f.count++
	f.at = name
	if f.body == nil {
		f.fail("an imported function has no body")
		return false
	}
	if len(f.ctrls) == 0 {
		f.fail("emitted after the end of the function")
		return false
	}
	return true
}

func (f *Func) top() *ctrl { return &f.ctrls[len(f.ctrls)-1] }

func (f *Func) push(ts ...ValType) { f.stack = append(f.stack, ts...) }

// pop takes one value of the type, or of any type when want is unknown.
func (f *Func) pop(want ValType) ValType {
	c := f.top()
	if len(f.stack) == c.height {
		if !c.unreachable {
			f.fail("the operand stack is empty, want %s", describe(want))
		}
		return want
	}
	got := f.stack[len(f.stack)-1]
	f.stack = f.stack[:len(f.stack)-1]
	if got != want && got != unknown && want != unknown {
		f.fail("operand is %s, want %s", got, want)
	}
	if got == unknown {
		return want
	}
	return got
}

func describe(t ValType) string {
	if t == unknown {
		return "a value"
	}
	return t.String()
}

// popAll takes values of the types, the last one first.
func (f *Func) popAll(ts []ValType) {
	for i := len(ts) - 1; i >= 0 && f.err == nil; i-- {
		f.pop(ts[i])
	}
}

// open enters a block whose parameters have been popped.
func (f *Func) open(t FuncType, loop bool) Label {
	f.blocks++
	f.ctrls = append(f.ctrls, ctrl{id: f.blocks, loop: loop, start: t.Params, end: t.Results, height: len(f.stack)})
	f.push(t.Params...)
	return Label{f, len(f.ctrls) - 1, f.blocks}
}

// close leaves the innermost block: its results must be all that is on its part of the stack.
func (f *Func) close() ctrl {
	c := *f.top()
	f.popAll(c.end)
	if f.err == nil && len(f.stack) != c.height {
		f.fail("%d more values than the block's results %s are left on the operand stack: %s", len(f.stack)-c.height, list(c.end), list(f.stack[c.height:]))
	}
	f.ctrls = f.ctrls[:len(f.ctrls)-1]
	return c
}

// dead marks the rest of the block as unreachable.
func (f *Func) dead() {
	c := f.top()
	f.stack = f.stack[:c.height]
	c.unreachable = true
}

// apply takes an instruction's operands and pushes its results.
func (f *Func) apply(operands, results string) {
	for i := len(operands) - 1; i >= 0 && f.err == nil; i-- {
		f.pop(letter(operands[i]))
	}
	for i := range results {
		f.push(letter(results[i]))
	}
}
