package compile

import (
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

func randBytes(r *[2]uint64) []byte { return tensor.AsBytes(r[:]) }

// Run executes the program on inputs in the order of the graph's inputs and returns the outputs in the order of the
// graph's. The outputs belong to the program and are valid until its next run. Updates are in the store when Run returns.
// The steady state allocates nothing. The error names the input that does not fit, the memory that is missing, or
// the operator that failed.
func (p *Program) Run(in ...*tensor.Tensor) ([]*tensor.Tensor, error) {
	return p.RunWith(in, RunOptions{})
}

// RunWith is [Program.Run] with options.
func (p *Program) RunWith(in []*tensor.Tensor, opt RunOptions) (out []*tensor.Tensor, err error) {
	p.rt.mu.Lock()
	defer p.rt.mu.Unlock()
	defer tensor.Catch(&err)
	if p.closed || p.rt.closed {
		return nil, tensor.Err("Run", "the program or its runtime is closed")
	}
	if len(in) != len(p.g.Inputs) {
		return nil, tensor.Err("Run", "the graph has ", len(p.g.Inputs), " inputs, got ", len(in))
	}
	for i, v := range p.g.Inputs {
		if in[i] == nil || in[i].DType() != v.DType {
			return nil, graph.CheckInput(v, in[i])
		}
	}
	b := p.running
	if b == nil || !p.matches(b, in) {
		if b, err = p.boundTo(in); err != nil {
			return nil, err
		}
		p.running = b
	}
	if b.dynamic {
		if opt.Repeat != nil {
			opt.Repeat.N = 0
		}
		return p.interpret(in, &opt)
	}
	if p.prelude != nil {
		if err := p.prelude.prepare(); err != nil {
			return nil, err
		}
	}
	if err := p.rt.reserve(b.arena, b.scratch); err != nil {
		return nil, err
	}
	defer p.detach()
	if err := p.attach(b, in, &opt); err != nil {
		return nil, err
	}
	var done <-chan struct{}
	if opt.Context != nil {
		done = opt.Context.Done()
	}
	if ctxErr := p.execute(b, opt.Context, done); ctxErr != nil {
		return nil, ctxErr
	}
	for i := range p.outs {
		p.ret[i] = p.outs[i]
		if i < len(opt.Outputs) && opt.Outputs[i] != nil {
			p.ret[i] = opt.Outputs[i]
			if p.copyOut[i] {
				tensor.CopyTo(p.ret[i], p.outs[i])
			}
		}
	}
	if opt.Repeat != nil {
		p.repeat(b, opt.Repeat)
	}
	return p.ret, nil
}

// matches reports whether the inputs have the shapes of the bind that ran last.
func (p *Program) matches(b *bound, in []*tensor.Tensor) bool {
	if len(p.binds) == 0 || p.binds[0] != b || p.kernels != simd.Current() {
		return false
	}
	for i, t := range in {
		if !tensor.SameShape(b.shapes[i], t.Shape()) {
			return false
		}
	}
	return true
}

func (p *Program) boundTo(in []*tensor.Tensor) (*bound, error) {
	p.shapes = p.shapes[:0]
	for _, t := range in {
		p.shapes = append(p.shapes, t.Shape())
	}
	return p.boundFor(p.shapes)
}

// attach points the regions at this run's memory.
func (p *Program) attach(b *bound, in []*tensor.Tensor, opt *RunOptions) error {
	p.regions[regArena] = p.rt.arena
	p.regions[regBound] = b.data
	p.rand = [2]uint64{opt.Rand.Seed, opt.Rand.Step}
	for i, t := range in {
		if p.s.inputs[i] >= 0 && t.DType() != tensor.String {
			p.regions[p.regIn+i] = t.Contiguous().Bytes()
		}
	}
	for i, c := range p.cells {
		if c.Tensor.DType() != tensor.String {
			p.regions[p.regVar+i] = c.Tensor.Bytes()
		}
	}
	for i := range p.s.outputs {
		t := &b.outs[i]
		size := t.DType.Bytes(tensor.Size(t.Shape))
		p.copyOut[i] = false
		if i < len(opt.Outputs) && opt.Outputs[i] != nil {
			o := opt.Outputs[i]
			if o.DType() != t.DType || !tensor.SameShape(o.Shape(), t.Shape) || !o.IsContiguous() {
				return tensor.Err("Run", "output ", strconv.Quote(p.g.Outputs[i].Name), " is ", t.DType, " ", t.Shape, "; the tensor given for it is ", o.DType(), " ", o.Shape(),
					" and must be contiguous")
			}
			mem := o.Bytes()
			if !p.overlaps(mem, i) {
				p.regions[p.regOut+i] = mem
				continue
			}
			p.copyOut[i] = true
		}
		if err := p.rt.grow(&p.bufs[i], size); err != nil {
			return err
		}
		p.regions[p.regOut+i] = p.bufs[i]
		if o := b.own[i]; o == nil || size > 0 && &o.Bytes()[0] != &p.bufs[i][0] {
			b.own[i] = tensor.Wrap(t.DType, t.Shape, p.bufs[i][:size:size])
		}
		p.outs[i] = b.own[i]
	}
	for i := range p.rt.pool.workers {
		p.rt.pool.workers[i].Regions = p.regions
	}
	return nil
}

// overlaps reports whether memory given for output i is also memory that the run reads or writes otherwise.
func (p *Program) overlaps(mem []byte, i int) bool {
	for k := p.regIn; k < p.regPack; k++ {
		if k >= p.regOut+i && k < p.regVar {
			continue // later outputs are compared with this one
		}
		if tensor.Overlap(mem, p.regions[k]) {
			return true
		}
	}
	return false
}

// detach lets go of the caller's memory.
func (p *Program) detach() {
	clear(p.regions[p.regIn:p.regVar])
	for i := range p.rt.pool.workers {
		p.rt.pool.workers[i].Regions = nil
	}
}

// execute packs what has changed and runs the step table.
func (p *Program) execute(b *bound, ctx Context, done <-chan struct{}) error {
	pool, rec := p.rt.pool, p.rt.rec
	if b.wide && goroutines && len(pool.workers) > 1 {
		pool.begin()
		defer pool.end()
	}
	var rows []int32
	if rec != nil {
		rows = rec.begin(p, b)
		defer rec.end()
	}
	for _, k := range b.packs {
		v := k.wanted()
		if k.version != v {
			if rec != nil {
				rec.pack(pool, &k.step)
			} else {
				pool.run(&k.step)
			}
			k.version = v
		}
	}
	for i := 0; i < len(b.steps); {
		if done != nil && i <= b.commit {
			select {
			case <-done:
				return ctx.Err()
			default:
			}
		}
		if i == b.commit {
			for _, u := range p.s.updates {
				p.cells[u.variable].Version++
			}
		}
		if rec != nil {
			rec.step(pool, &b.steps, rows[i], i)
			i++
			continue
		}
		end := len(b.steps)
		if i < b.commit {
			end = b.commit
		}
		if n := prog.RunSteps(&pool.workers[0], b.steps[i:end]); n > 0 {
			i += n
			continue
		}
		pool.runGo(&b.steps, i)
		i++
	}
	return nil
}

// interpret runs a graph whose shapes depend on data.
func (p *Program) interpret(in []*tensor.Tensor, opt *RunOptions) ([]*tensor.Tensor, error) {
	eval := graph.EvalOptions{Rand: opt.Rand}
	if opt.Context != nil {
		eval.Stop = opt.Context.Err
	}
	res, err := graph.Eval(p.g, p.store, in, &eval)
	if err != nil {
		return nil, err
	}
	for i, t := range res {
		if i < len(opt.Outputs) && opt.Outputs[i] != nil {
			o := opt.Outputs[i]
			if o.DType() != t.DType() || !tensor.SameShape(o.Shape(), t.Shape()) || !o.IsContiguous() {
				return nil, tensor.Err("Run", "output ", strconv.Quote(p.g.Outputs[i].Name), " is ", t.DType(), " ", t.Shape(), "; the tensor given for it is ", o.DType(), " ", o.Shape())
			}
			tensor.CopyTo(o, t.Contiguous())
			t = o
		}
		p.ret[i] = t
	}
	return p.ret, nil
}
