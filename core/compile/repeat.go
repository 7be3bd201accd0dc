package compile

import "github.com/weft-ml/weft/core/prog"

// Repeat is what makes a run once more without Go, on the same inputs and outputs: the kernel module's program_run on N steps from Steps with Worker. It is good
// for as long as nothing else of the runtime has been called and the memory of inputs and outputs is the caller's.
type Repeat struct {
	Steps  *prog.Step
	N      int // 0: the run cannot be repeated
	Worker prog.Worker

	regions [][]byte
}

// repeat fills r after a run, before the regions are let go of. One worker does for steps of one tile.
func (p *Program) repeat(b *bound, r *Repeat) {
	r.N = 0
	if p.rt.rec != nil || len(p.rt.pool.workers) > 1 && b.wide || !p.repeatable(b) {
		return
	}
	for _, c := range p.copyOut {
		if c {
			return
		}
	}
	r.regions = append(r.regions[:0], p.regions...)
	r.Worker = p.rt.pool.workers[0]
	r.Worker.Regions = r.regions
	r.Steps, r.N = &b.steps[0], len(b.steps)
}

// repeatable reports whether the steps alone are the whole run: the module runs all of them, none writes a variable and none draws random numbers, which another run
// has others of.
func (p *Program) repeatable(b *bound) bool {
	if !b.asked {
		b.asked = true
		b.repeats = len(b.steps) > 0 && len(p.s.updates) == 0
		for i := range b.steps {
			s := &b.steps[i]
			b.repeats = b.repeats && s.Kernel.Compiled()
			for _, a := range s.A {
				b.repeats = b.repeats && (a == prog.None || a.Region() != regRand)
			}
		}
	}
	return b.repeats
}
