package compile

import (
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// Options are the settings of one compilation; the zero value is a good default.
type Options struct {
	// NoFusion keeps every operator a step of its own, for finding errors and for measuring.
	NoFusion bool
	// MaxBinds bounds how many sets of input shapes stay bound at the same time; 0 means as many as have tables of 4 MiB together, 8 at least and 256 at most.
	MaxBinds int
}

// Program is a compiled graph. It is bound to a store: variables are read from its cells and updates are written there.
// A program is safe for use by one goroutine at a time; programs of one runtime wait for each other.
type Program struct {
	rt    *Runtime
	g     *graph.Graph
	store *graph.Store
	opt   Options
	s     structure

	cells   []*graph.Cell // the graph's variables, then what the prelude computes
	updated []bool        // by variable: an update of this program writes it
	prelude *prelude      // nil: nothing is hoisted

	regions                   [][]byte
	rand                      [2]uint64
	regIn, regOut             int
	regVar, regConst, regPack int
	packs                     []*pack
	binds                     []*bound // most recently used first
	held                      int      // bytes of their tables
	shapes                    [][]int  // of the run at hand
	binder                    binder
	chainer                   chainer
	kernels                   *simd.Kernels // for which binds and packs were made
	bufs                      [][]byte      // own output buffers
	outs                      []*tensor.Tensor
	ret                       []*tensor.Tensor
	copyOut                   []bool // outputs that the caller placed over memory the program reads
	running                   *bound
	closed                    bool
}

// Compile runs the structure stage on a graph. Variables that the store lacks are added with their initial
// elements; a nil store stands for a new one. The graph must not change afterwards.
func Compile(rt *Runtime, g *graph.Graph, store *graph.Store, opt Options) (p *Program, err error) {
	defer tensor.Catch(&err)
	if store == nil {
		store = graph.NewStore()
	}
	if err := store.Init(g); err != nil {
		return nil, err
	}
	s := structureOf(g, opt)
	var pre *structure
	if !opt.NoFusion {
		pre = s.hoist()
	}
	p = newProgram(rt, g, store, opt, s)
	if pre != nil {
		p.newPrelude(pre)
	}
	p.layout()
	return p, nil
}

// newProgram returns a program of a structure whose regions have no numbers yet.
func newProgram(rt *Runtime, g *graph.Graph, store *graph.Store, opt Options, s *structure) *Program {
	p := &Program{rt: rt, g: g, store: store, opt: opt, s: *s, updated: s.updated()}
	for _, v := range s.vars {
		p.cells = append(p.cells, store.Cell(v.Name))
	}
	return p
}

// layout numbers the program's regions.
func (p *Program) layout() {
	s := &p.s
	p.regIn = regFirst
	p.regOut = p.regIn + len(s.inputs)
	p.regVar = p.regOut + len(s.outputs)
	p.regConst = p.regVar + len(p.cells)
	p.regPack = p.regConst + len(s.consts)
	p.regions = make([][]byte, p.regPack)
	p.regions[regRand] = randBytes(&p.rand)
	for i, t := range s.consts {
		if t.DType() != tensor.String {
			p.regions[p.regConst+i] = t.Bytes()
		}
	}
	p.bufs = make([][]byte, len(s.outputs))
	p.outs = make([]*tensor.Tensor, len(s.outputs))
	p.ret = make([]*tensor.Tensor, len(s.outputs))
	p.copyOut = make([]bool, len(s.outputs))
	p.kernels = simd.Current()
}

// Graph returns the graph the program was compiled from.
func (p *Program) Graph() *graph.Graph { return p.g }

// Runtime returns the runtime that the program runs on.
func (p *Program) Runtime() *Runtime { return p.rt }

// Store returns the store that holds the program's variables.
func (p *Program) Store() *graph.Store { return p.store }

// Close gives the program's buffers back to the runtime's allocator. Outputs of earlier runs become invalid.
func (p *Program) Close() {
	p.rt.mu.Lock()
	defer p.rt.mu.Unlock()
	p.closed = true
	p.forget()
	for i := range p.bufs {
		p.rt.release(&p.bufs[i])
	}
	if p.prelude != nil {
		p.prelude.prog.forget()
		p.prelude.free()
	}
}

// forget drops everything that binding made.
func (p *Program) forget() {
	p.dropPacks()
	p.binds, p.running, p.held = nil, nil, 0
	p.binder.valid = false
	clear(p.regions[p.regPack:])
	p.regions = p.regions[:p.regPack]
}

// Bind prepares the program for inputs of the given shapes, in the order of the graph's inputs, so that the first run with them
// is as fast as the others. Shapes already bound cost nothing. Packed weights are allocated, the arena grows.
func (p *Program) Bind(shapes ...[]int) (err error) {
	p.rt.mu.Lock()
	defer p.rt.mu.Unlock()
	defer tensor.Catch(&err)
	if len(shapes) != len(p.g.Inputs) {
		return tensor.Err("Bind", "the graph has ", len(p.g.Inputs), " inputs, got ", len(shapes), " shapes")
	}
	_, err = p.boundFor(shapes)
	return err
}

// Outputs binds the program to the shapes of inputs and returns the types of its outputs; nil where they depend on the data.
func (p *Program) Outputs(in ...*tensor.Tensor) (out []graph.Type, err error) {
	p.rt.mu.Lock()
	defer p.rt.mu.Unlock()
	defer tensor.Catch(&err)
	if len(in) != len(p.g.Inputs) {
		return nil, tensor.Err("Outputs", "the graph has ", len(p.g.Inputs), " inputs, got ", len(in))
	}
	b := p.running
	if b == nil || !p.matches(b, in) {
		if b, err = p.boundTo(in); err != nil {
			return nil, err
		}
	}
	return b.outs, nil
}

// boundFor returns the program bound to the shapes, from the cache when it is there.
func (p *Program) boundFor(shapes [][]int) (*bound, error) {
	if k := simd.Current(); k != p.kernels { // packed layouts and tile counts belong to a kernel set
		p.forget()
		p.kernels = k
	}
	h := hashShapes(shapes)
	for i, b := range p.binds {
		if b.hash == h && sameKey(b.shapes, shapes) {
			if i > 0 {
				copy(p.binds[1:i+1], p.binds[:i])
				p.binds[0] = b
			}
			return b, nil
		}
	}
	if err := p.checkShapes(shapes); err != nil {
		return nil, err
	}
	key := make([][]int, len(shapes))
	for i, s := range shapes {
		key[i] = append([]int{}, s...)
	}
	var old *bound
	if n := len(p.binds); n > 0 && p.full() {
		old = p.binds[n-1]
		p.binds[n-1] = nil
		p.binds = p.binds[:n-1]
		p.held -= old.held()
	}
	b := p.bind(key, old)
	b.hash = h
	p.binds = append(p.binds, nil)
	copy(p.binds[1:], p.binds)
	p.binds[0] = b
	p.held += b.held()
	return b, nil
}

// Bounds of the binds that are kept when Options say none.
const (
	heldBytes = 4 << 20
	fewBinds  = 8
	manyBinds = 256
)

// full reports whether a bind has to go before another is made.
func (p *Program) full() bool {
	n := len(p.binds)
	if p.opt.MaxBinds > 0 {
		return n >= p.opt.MaxBinds
	}
	return n >= manyBinds || n >= fewBinds && p.held+p.held/n > heldBytes
}

// held returns the bytes of a bind's tables.
func (b *bound) held() int { return len(b.steps)*prog.StepBytes + len(b.data) }

// hashShapes is FNV-1a over dimensions.
func hashShapes(shapes [][]int) uint64 {
	h := uint64(14695981039346656037)
	for _, s := range shapes {
		for _, d := range s {
			h = (h ^ uint64(d)) * 1099511628211
		}
		h = (h ^ 0xff) * 1099511628211
	}
	return h
}

func sameKey(a, b [][]int) bool {
	for i := range a {
		if !tensor.SameShape(a[i], b[i]) {
			return false
		}
	}
	return true
}

// checkShapes checks shapes against the declared ones; a symbol stands for one size in all inputs.
func (p *Program) checkShapes(shapes [][]int) error {
	type symbol struct{ dim, size int }
	var few [8]symbol
	seen := few[:0]
	for i, v := range p.g.Inputs {
		ok := len(v.Shape) == len(shapes[i])
		for k := 0; ok && k < len(v.Shape); k++ {
			d, size := v.Shape[k], shapes[i][k]
			ok = size >= 0 && (d < 0 || d == size)
			if d >= graph.Unknown || !ok {
				continue
			}
			found := false
			for _, s := range seen {
				if s.dim == d {
					found = true
					if s.size != size {
						return tensor.Err("Run", "input ", strconv.Quote(v.Name), " takes ", v.DType, " ", p.g.ShapeString(v.Shape), ", got ", shapes[i], ", but ",
							p.g.SymbolName(d), " is ", s.size, " in another input")
					}
				}
			}
			if !found {
				seen = append(seen, symbol{d, size})
			}
		}
		if v.HasRank && !ok {
			return tensor.Err("Run", "input ", strconv.Quote(v.Name), " takes ", v.DType, " ", p.g.ShapeString(v.Shape), ", got ", shapes[i])
		}
	}
	return nil
}

// Context is what a run looks at to know when to stop; every context.Context is one. The page does without package context, which
// brings clocks and timers along.
type Context interface {
	Done() <-chan struct{}
	Err() error
}

// RunOptions are the settings of one run; the zero value is a good default.
type RunOptions struct {
	// Context, when set, is looked at between steps; a run that it ends returns its error and leaves every variable as it was.
	// Once a run has begun to write variables it is completed.
	Context Context
	// Outputs, when set, holds a tensor for every output that the caller wants written to; nil elements and missing ones
	// are the program's own.
	Outputs []*tensor.Tensor
	// Rand is the random state of the run: operators draw from streams of the seed at this step.
	Rand graph.RandState
	// Repeat, when set, is filled with what repeats the run.
	Repeat *Repeat
}
