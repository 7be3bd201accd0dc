package simd

import (
	"errors"
	"slices"
	"strings"
)

// Kernels is one set of kernels: every kernel of the package for one instruction set and one numeric class.
// A set fills only the fields that it speeds up; a nil field means the generic version of the set's class,
// so a set that is only half written is already correct.
type Kernels struct {
	Name  string // "generic", "avx2", "avx512", "neon", ..., with the suffix "-muladd" for sets that do not fuse on hardware that could
	Class Class  // how a multiplication followed by an addition rounds

	// Unavailable says why the set cannot run here ("" when it can).
	Unavailable string

	gemm gemmKernels // matrix products
	conv convKernels // convolutions and their gradients
	vec  vecKernels  // elementwise functions, reductions, pooling, normalisation, optimizers, moves

	inModule bool // the kernels are the browser's kernel module
}

// Available reports whether the processor can run the set.
func (k *Kernels) Available() bool { return k.Unavailable == "" }

// The two generic sets are always compiled in; they define what every other set computes.
var (
	genericFMA    = Kernels{Name: "generic", Class: FMA}
	genericMulAdd = Kernels{Name: "generic-muladd", Class: MulAdd}
)

var current *Kernels

func init() {
	name, numerics := startEnv()
	if err := selectAtStart(name, numerics); err != nil {
		panic(err.Error())
	}
}

// selectAtStart picks the current set: the one WEFT_KERNELS names, else the best available one of the class that
// WEFT_NUMERICS names, else the best one.
func selectAtStart(name, numerics string) error {
	current = best(FMA)
	switch numerics {
	case "", "fma":
	case "muladd":
		current = best(MulAdd)
	default:
		return errors.New("weft: WEFT_NUMERICS is " + numerics + "; it can be fma or muladd")
	}
	if name == "" {
		if numerics == "fma" && current.Class != FMA {
			return errors.New("weft: WEFT_NUMERICS=fma: this build or processor has no fast fused kernels; WEFT_KERNELS=generic computes the same bits slowly")
		}
		return nil
	}
	if numerics == "muladd" && !strings.HasSuffix(name, "-muladd") {
		name += "-muladd"
	}
	return Use(name)
}

// best returns the first available set of the class whose matrix products are accelerated, in the order of All's
// preference. The generic fused loops are an oracle, too slow to be chosen; without an accelerated set the plain loops
// run, with the vector kernels of their class where there are any.
func best(c Class) *Kernels {
	for _, k := range archKernels() {
		if k.Available() && k.Class == c && k.gemm.region != nil {
			return k
		}
	}
	for _, k := range archKernels() {
		if k.Available() && k.Class == MulAdd {
			return k
		}
	}
	return &genericMulAdd
}

// All returns every set compiled into the program, best first, the generic ones last, with the unavailable ones.
func All() []*Kernels {
	return append(slices.Clone(archKernels()), &genericFMA, &genericMulAdd)
}

// Current returns the set in use.
func Current() *Kernels { return current }

// Use switches to the named set. It is meant for tests and for start-up: packed operands belong to the set that
// packed them, and no kernel may run during the switch.
func Use(name string) error {
	var names []string
	for _, k := range All() {
		if k.Name != name {
			if k.Available() {
				names = append(names, k.Name)
			}
			continue
		}
		if !k.Available() {
			return errors.New("weft: kernel set " + name + " cannot run here: " + k.Unavailable)
		}
		current = k
		return nil
	}
	return errors.New("weft: no kernel set named " + name + "; available: " + strings.Join(names, ", "))
}
