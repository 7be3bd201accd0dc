// Package module builds Weft's kernel modules: the kernels of simd/wasmkernels, and the step kernels of core compiled
// from their Go code, so that the module runs a Program's step table by itself.
package module

import (
	"fmt"
	"go/constant"
	"sort"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/weft-ml/weft/simd/wasmasm"
	"github.com/weft-ml/weft/simd/wasmkernels"
	"github.com/weft-ml/weft/wasm/kernelc/gowasm"
)

const root = "github.com/weft-ml/weft/"

// Packages with step kernels.
var kernelPackages = []string{root + "core/compile", root + "core/data/digits", root + "core/data/preprocess/ink", root + "core/op"}

// Step is a step kernel: a package variable of type prog.Kernel.
type Step struct {
	Name   string // prog.Kernel.Name
	Var    string // package and variable
	Func   *ssa.Function
	Reason string // why it is not compiled; empty when it is
}

// Steps finds the step kernels of the program.
func Steps(p *gowasm.Program) ([]*Step, error) {
	var steps []*Step
	names := map[string]string{}
	for _, path := range kernelPackages {
		pkg := p.Packages[path]
		if pkg == nil {
			return nil, fmt.Errorf("package %s is not loaded", path)
		}
		for _, b := range pkg.Func("init").Blocks {
			for _, in := range b.Instrs {
				st, ok := in.(*ssa.Store)
				if !ok {
					continue
				}
				g, ok := st.Addr.(*ssa.Global)
				if !ok || g.Type().String() != "*"+root+"core/prog.Kernel" {
					continue
				}
				s := &Step{Var: strings.TrimPrefix(path, root) + "." + g.Name()}
				steps = append(steps, s)
				if load, ok := st.Val.(*ssa.UnOp); ok {
					s.literal(load.X)
				}
			}
		}
	}
	for _, s := range steps {
		if other := names[s.Name]; other != "" {
			return nil, fmt.Errorf("%s and %s have the same name %q", other, s.Var, s.Name)
		}
		names[s.Name] = s.Var
		if s.Func == nil {
			return nil, fmt.Errorf("%s has no function", s.Var)
		}
	}
	sort.Slice(steps, func(i, j int) bool { return steps[i].Name < steps[j].Name })
	return steps, nil
}

// literal reads the fields of a kernel's composite literal.
func (s *Step) literal(v ssa.Value) {
	for _, in := range *v.Referrers() {
		switch in := in.(type) {
		case *ssa.FieldAddr:
			s.literal(in)
		case *ssa.Store:
			switch v := in.Val.(type) {
			case *ssa.Const:
				if v.Value.Kind() == constant.String {
					s.Name = constant.StringVal(v.Value)
				}
			case *ssa.Function:
				s.Func = v
			}
		}
	}
}

// Load loads the packages.
func Load(dir string) (*gowasm.Program, error) {
	return gowasm.Load(dir, append([]string{root + "core/prog", root + "simd"}, kernelPackages...)...)
}

// Build returns the kernel module of a variant, with the step kernels that can be compiled, and notes in steps why the others cannot.
func Build(p *gowasm.Program, v wasmkernels.Variant, steps []*Step) ([]byte, error) {
	for _, s := range steps {
		s.Reason = ""
	}
	// A function that cannot be compiled leaves its module without use: the first pass finds those.
	for {
		before := compiled(steps)
		b, err := build(p, v, steps)
		if compiled(steps) == before {
			return b, err
		}
	}
}

func compiled(steps []*Step) int {
	n := 0
	for _, s := range steps {
		if s.Reason == "" {
			n++
		}
	}
	return n
}

func build(p *gowasm.Program, v wasmkernels.Variant, steps []*Step) ([]byte, error) {
	m, _, err := wasmkernels.Build(v)
	if err != nil {
		return nil, err
	}
	class := int64(0)
	if v.Relaxed {
		class = 1
	}
	c := gowasm.New(p, m, gowasm.Options{
		Imports:    map[string]*wasmasm.Func{"kernel": m.Exported("kernel"), "variant": m.Exported("variant")},
		Intrinsics: intrinsics(v),
		Fields:     map[string]constant.Value{root + "simd.Kernels.Class": constant.MakeInt64(class)},
		Specialise: map[string]bool{root + "simd.Class": true},
		Shared:     []string{root + "simd.current"}, // simd.program.shared
		Constant:   map[string]bool{root + "simd.vecWasm": true, root + "simd.laneMasks": true, root + "core/data/digits.habits": true},
	})
	x := &program{m: m, c: c}
	if x.layout, err = layoutOf(p); err != nil {
		return nil, err
	}
	var names []string
	var funcs []*wasmasm.Func
	for _, s := range steps {
		if s.Reason != "" {
			continue
		}
		f, err := c.Compile(s.Func)
		if err != nil {
			s.Reason = err.Error()
			continue
		}
		names, funcs = append(names, s.Name), append(funcs, f)
	}
	n := uint32(len(funcs) + 1)
	x.table = m.Table(wasmasm.Limits{Min: n, Max: n, HasMax: true})
	x.tileFn = wasmasm.Sig(wasmasm.I32, wasmasm.I32, wasmasm.I64)()
	m.Elem(x.table, 1, funcs...)
	x.addLookup(names)
	tile, start := x.addTile(), c.Start("program_start")
	m.ExportFunc("program_start", start)
	x.addRun(tile, x.addThreads(v.Shared, tile, start))
	size := m.Func("program_data", wasmasm.Sig()(wasmasm.I32))
	size.I32(int32(len(c.StaticData())))
	m.ExportFunc("program_data", size)
	return m.Bytes()
}

// intrinsics are the functions that a variant has instructions for.
func intrinsics(v wasmkernels.Variant) map[string]func(f *wasmasm.Func) {
	if !v.Relaxed {
		return nil
	}
	return map[string]func(f *wasmasm.Func){
		// Exact where the host has found the module's multiply-add fused; it loads no relaxed module otherwise.
		root + "simd.fma32": func(f *wasmasm.Func) {
			z, y := f.Local(wasmasm.F32, ""), f.Local(wasmasm.F32, "")
			f.Set(z).Set(y).Op(wasmasm.F32x4Splat).Get(y).Op(wasmasm.F32x4Splat).Get(z).Op(wasmasm.F32x4Splat)
			f.Op(wasmasm.F32x4RelaxedMadd).Lane(wasmasm.F32x4ExtractLane, 0)
		},
	}
}

// List describes the step kernels, a line each.
func List(steps []*Step) string {
	var w strings.Builder
	for _, s := range steps {
		fmt.Fprintf(&w, "%s %s", s.Name, s.Var)
		if s.Reason != "" {
			fmt.Fprintf(&w, " in Go: %s", s.Reason)
		}
		w.WriteString("\n")
	}
	return w.String()
}
