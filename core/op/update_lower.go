package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// elemTile is how many elements of a pass over memory are worth another thread.
const elemTile = 8 << 10

// elemTiles returns into how many tiles a pass over n elements is split.
func elemTiles(n int) int32 { return evenTiles(min(max(n/elemTile, 1), 64)) }

// evenTiles rounds a number of tiles down so that few threads, whatever their number, get about as many each: to even numbers, and from 8 on to multiples
// of a quarter to half of it.
func evenTiles(n int) int32 {
	unit := 2
	for 4*unit <= n {
		unit *= 2
	}
	if n > unit {
		n -= n % unit
	}
	return int32(n)
}

// lineElems is a cache line of float32s: tiles meet at multiples of it.
const lineElems = 16

// Operands of an update step; neighbouring steps are joined, so that one pass updates all parameters: A holds the parameter and up to two slots (old, then new), the gradient, and the scalars, of which the gradient's factor may be none.
const (
	upW, upS0, upS1, upNewW, upNewS0, upNewS1, upG, upLR, upC1, upC2, upScale = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
)

// emitUpdate emits the one step of an optimizer update with the given numbers of slots and of scalars before the gradient's factor.
func emitUpdate(b graph.Builder, k *prog.Kernel, slots, scalars int, flags int32, f ...float32) bool {
	if b.InType(0) != tensor.Float32 {
		return false
	}
	n := tensor.Size(b.InShape(0))
	if n == 0 {
		return true
	}
	s := prog.Step{Kernel: k, Tiles: elemTiles(n)}
	for i := range s.A {
		s.A[i] = prog.None
	}
	s.A[upW], s.A[upNewW], s.A[upG] = b.In(0), b.Out(0), b.In(1)
	for i := range slots {
		s.A[upS0+i], s.A[upNewS0+i] = b.In(2+i), b.Out(1+i)
		if b.Out(1+i) == prog.None {
			s.A[upNewS0+i] = b.Scratch(4 * n)
		}
	}
	for i := range scalars {
		s.A[upLR+i] = b.In(2 + slots + i)
	}
	s.A[upScale] = optional(b, 2+slots+scalars)
	if s.A[upNewW] == prog.None {
		s.A[upNewW] = b.Scratch(4 * n)
	}
	s.N[0], s.N[1] = int32(n), flags
	copy(s.F[:], f)
	b.Emit(s)
	return true
}

// updateWalk goes over the parts of a tile: of one parameter, or of the rows of a joined step.
type updateWalk struct {
	p, g, s0, s1 []float32 // the part at hand of the parameter, the gradient and the slots
	row, at      int       // the next row, and where it begins
	lo, hi       int
}

func walkUpdates(s *prog.Step, tile int) updateWalk {
	lo, hi := prog.Span(int(s.N[0]), lineElems, tile, int(s.Tiles))
	return updateWalk{lo: lo, hi: hi}
}

// next goes to the next part. The old elements are copied to the new places where those differ: the kernels update in place.
func (u *updateWalk) next(w *prog.Worker, s *prog.Step) bool {
	for u.row < s.Rows() && u.at < u.hi {
		a, n := s.Row(w, u.row)
		lo, hi := max(u.lo-u.at, 0), min(u.hi-u.at, n)
		u.row++
		u.at += (n + prog.JoinedUnit - 1) / prog.JoinedUnit * prog.JoinedUnit
		if lo >= hi {
			continue
		}
		u.p, u.g = updated(w, &a, upW, n, lo, hi), w.F32(a[upG], n)[lo:hi]
		if a[upNewS0] != prog.None {
			u.s0 = updated(w, &a, upS0, n, lo, hi)
		}
		if a[upNewS1] != prog.None {
			u.s1 = updated(w, &a, upS1, n, lo, hi)
		}
		return true
	}
	return false
}

func updated(w *prog.Worker, a *[prog.JoinedOwn]prog.Ref, i, n, lo, hi int) []float32 {
	v := w.F32(a[prog.JoinedOut+i], n)[lo:hi]
	if a[i] != a[prog.JoinedOut+i] {
		copy(v, w.F32(a[i], n)[lo:hi])
	}
	return v
}

// gradScale returns the factor of the gradients.
func gradScale(w *prog.Worker, s *prog.Step) float32 {
	if s.A[upScale] == prog.None {
		return 1
	}
	return w.F32(s.A[upScale], 1)[0]
}

const decoupledFlag, nesterovFlag = 1, 2

func updateFlags(n *graph.Node) int32 {
	var f int32
	if n.Int("decoupled") != 0 {
		f |= decoupledFlag
	}
	if n.Int("nesterov") != 0 {
		f |= nesterovFlag
	}
	return f
}

var kSGD = prog.Kernel{Name: "SGD", Run: runSGD, Joins: true}

func lowerSGD(b graph.Builder, n *graph.Node) bool {
	return emitUpdate(b, &kSGD, 0, 1, updateFlags(n), n.Float("weight_decay"))
}

func runSGD(w *prog.Worker, s *prog.Step, tile int) {
	o := simd.SGDOptions{Scale: gradScale(w, s), LR: w.F32(s.A[upLR], 1)[0], WeightDecay: s.F[0], Decoupled: s.N[1]&decoupledFlag != 0}
	for u := walkUpdates(s, tile); u.next(w, s); {
		simd.SGD(u.p, u.g, nil, &o)
	}
}

var kMomentum = prog.Kernel{Name: "Momentum", Run: runMomentum, Joins: true}

func lowerMomentum(b graph.Builder, n *graph.Node) bool {
	if n.Float("momentum") == 0 {
		return false // the kernel leaves the velocity alone then; the body does not
	}
	return emitUpdate(b, &kMomentum, 1, 1, updateFlags(n), n.Float("weight_decay"), n.Float("momentum"))
}

func runMomentum(w *prog.Worker, s *prog.Step, tile int) {
	o := simd.SGDOptions{Scale: gradScale(w, s), LR: w.F32(s.A[upLR], 1)[0], WeightDecay: s.F[0], Momentum: s.F[1],
		Nesterov: s.N[1]&nesterovFlag != 0, Decoupled: s.N[1]&decoupledFlag != 0}
	for u := walkUpdates(s, tile); u.next(w, s); {
		simd.SGD(u.p, u.g, u.s0, &o)
	}
}

var kRMSProp = prog.Kernel{Name: "RMSProp", Run: runRMSProp, Joins: true}

func lowerRMSProp(b graph.Builder, n *graph.Node) bool {
	return emitUpdate(b, &kRMSProp, 1, 1, 0, n.Float("weight_decay"), n.Float("rho"), n.Float("epsilon"))
}

func runRMSProp(w *prog.Worker, s *prog.Step, tile int) {
	o := simd.RMSPropOptions{Scale: gradScale(w, s), LR: w.F32(s.A[upLR], 1)[0], WeightDecay: s.F[0], Rho: s.F[1], Eps: s.F[2]}
	for u := walkUpdates(s, tile); u.next(w, s); {
		simd.RMSProp(u.p, u.g, u.s0, &o)
	}
}

var kAdagrad = prog.Kernel{Name: "Adagrad", Run: runAdagrad, Joins: true}

func lowerAdagrad(b graph.Builder, n *graph.Node) bool {
	return emitUpdate(b, &kAdagrad, 1, 1, 0, n.Float("weight_decay"), n.Float("epsilon"))
}

func runAdagrad(w *prog.Worker, s *prog.Step, tile int) {
	o := simd.AdagradOptions{Scale: gradScale(w, s), LR: w.F32(s.A[upLR], 1)[0], WeightDecay: s.F[0], Eps: s.F[1]}
	for u := walkUpdates(s, tile); u.next(w, s); {
		simd.Adagrad(u.p, u.g, u.s0, &o)
	}
}

var kAdam = prog.Kernel{Name: "Adam", Run: runAdam, Joins: true}

func lowerAdam(b graph.Builder, n *graph.Node) bool {
	var flags int32
	if n.Def.Name == "AdamW" {
		flags = decoupledFlag
	}
	return emitUpdate(b, &kAdam, 2, 3, flags, n.Float("weight_decay"), n.Float("beta1"), n.Float("beta2"), n.Float("epsilon"))
}

func runAdam(w *prog.Worker, s *prog.Step, tile int) {
	o := simd.AdamOptions{Scale: gradScale(w, s), LR: w.F32(s.A[upLR], 1)[0], WeightDecay: s.F[0], Beta1: s.F[1], Beta2: s.F[2], Eps: s.F[3],
		Correction1: w.F32(s.A[upC1], 1)[0], Correction2: w.F32(s.A[upC2], 1)[0], Decoupled: s.N[1]&decoupledFlag != 0}
	for u := walkUpdates(s, tile); u.next(w, s); {
		simd.Adam(u.p, u.g, u.s0, u.s1, &o)
	}
}

var kLion = prog.Kernel{Name: "Lion", Run: runLion, Joins: true}

func lowerLion(b graph.Builder, n *graph.Node) bool {
	return emitUpdate(b, &kLion, 1, 1, 0, n.Float("weight_decay"), n.Float("beta1"), n.Float("beta2"))
}

func runLion(w *prog.Worker, s *prog.Step, tile int) {
	o := simd.LionOptions{Scale: gradScale(w, s), LR: w.F32(s.A[upLR], 1)[0], WeightDecay: s.F[0], Beta1: s.F[1], Beta2: s.F[2]}
	for u := walkUpdates(s, tile); u.next(w, s); {
		simd.Lion(u.p, u.g, u.s0, &o)
	}
}
