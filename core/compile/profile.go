package compile

import (
	"math"
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// StepInfo describes one step of a bound program.
type StepInfo struct {
	Kernel   string
	Operator string // "Conv", or of a chain "Mul+Add+Relu"; "" for copies
	Node     string // name of the (last) node
	Inputs   [][]int
	Outputs  [][]int
	Tiles    int
	Bytes    int64   // read and written by the node, once each; counted at its first step
	FLOPs    float64 // where the operator tells; counted at its first step
}

// Steps lists the steps of the shapes that were bound or run last, in the order in which they run; nil when nothing is bound
// or the graph's shapes depend on data.
func (p *Program) Steps() []StepInfo {
	p.rt.mu.Lock()
	defer p.rt.mu.Unlock()
	if len(p.binds) == 0 || p.binds[0].dynamic {
		return nil
	}
	b := p.binds[0]
	types := p.typesOf(b)
	out := make([]StepInfo, len(b.steps))
	for i := range b.steps {
		out[i] = p.stepInfo(b, i, types)
	}
	return out
}

// stepInfo describes a step.
func (p *Program) stepInfo(b *bound, i int, types []graph.Type) StepInfo {
	s := &b.steps[i]
	x := StepInfo{Kernel: s.Kernel.Name, Tiles: int(s.Tiles)}
	if n := b.node[i]; n >= 0 {
		p.describe(&x, &p.s.nodes[n], types)
		if i > 0 && b.node[i-1] == n {
			x.Bytes, x.FLOPs = 0, 0
		}
		if rows := s.Rows(); s.Kernel.Joins && rows > 1 && len(x.Outputs) > 0 {
			one := int64(max(tensor.Size(x.Outputs[0]), 1)) // the first row is described
			x.Operator += "*" + strconv.Itoa(rows)
			x.Outputs = [][]int{{int(s.N[0])}}
			x.Bytes, x.FLOPs = x.Bytes*int64(s.N[0])/one, math.Round(x.FLOPs*float64(s.N[0])/float64(one))
		}
	} else {
		x.Bytes = 2 * (int64(s.N[0]) | int64(s.N[1])<<31)
	}
	return x
}

// typesOf infers the types of a bind again; listings need no copy of them in every bind.
func (p *Program) typesOf(b *bound) []graph.Type {
	m := binder{p: p, types: make([]graph.Type, len(p.s.vals))}
	m.infer(b.shapes)
	return m.types
}

func (p *Program) describe(x *StepInfo, nd *pnode, types []graph.Type) {
	inside := map[int32]bool{}
	for k := range nd.ops {
		o := &nd.ops[k]
		if k > 0 {
			x.Operator += "+"
		}
		x.Operator += o.n.Def.FullName()
		x.Node = o.n.Name
		for _, v := range o.out {
			if v >= 0 {
				inside[v] = true
			}
		}
	}
	count := func(v int32) {
		if known(types[v]) {
			x.Bytes += int64(types[v].DType.Bytes(tensor.Size(types[v].Shape)))
		}
	}
	for k := range nd.ops {
		o := &nd.ops[k]
		for _, v := range o.in {
			if v >= 0 && !inside[v] {
				x.Inputs = append(x.Inputs, types[v].Shape)
				count(v)
			}
		}
		for j, v := range o.out {
			if v < 0 {
				continue
			}
			if !nd.chain || k == len(nd.ops)-1 {
				x.Outputs = append(x.Outputs, types[v].Shape)
				count(v)
			}
			if nd.chain && j == 0 && known(types[v]) {
				x.FLOPs += float64(tensor.Size(types[v].Shape))
			}
		}
		if f := o.n.Def.FLOPs; f != nil {
			in, out := make([]graph.Type, len(o.in)), make([]graph.Type, len(o.out))
			for j, v := range o.in {
				if v >= 0 {
					in[j] = types[v]
				}
			}
			for j, v := range o.out {
				if v >= 0 {
					out[j] = types[v]
				}
			}
			x.FLOPs += f(o.n, in, out)
		}
	}
}

// MemoryInfo is what a program holds, in bytes.
type MemoryInfo struct {
	Arena     int64 // of the runtime, shared by its programs: what the bind used last needs
	Scratch   int64 // of all workers
	Variables int64 // in the store
	Constants int64
	Packed    int64 // packed copies of variables and constants, which other programs may share, and what is computed from them once
	Outputs   int64
	Binds     int // sets of input shapes that are bound
}

// Memory returns what the program holds.
func (p *Program) Memory() MemoryInfo {
	p.rt.mu.Lock()
	defer p.rt.mu.Unlock()
	x := MemoryInfo{Binds: len(p.binds)}
	if len(p.binds) > 0 {
		x.Arena = int64(p.binds[0].arena)
		x.Scratch = int64(p.binds[0].scratch) * int64(p.rt.Threads())
	}
	size := func(t *tensor.Tensor) int64 { return int64(t.DType().Bytes(t.Len())) }
	for i, c := range p.cells {
		if i < len(p.s.vars) {
			x.Variables += size(c.Tensor)
		} else {
			x.Packed += size(c.Tensor)
		}
	}
	for _, t := range p.s.consts {
		x.Constants += size(t)
	}
	for _, k := range p.packs {
		x.Packed += int64(len(k.buf))
	}
	for _, b := range p.bufs {
		x.Outputs += int64(len(b))
	}
	return x
}
