package module

import (
	"fmt"
	"go/types"

	. "github.com/weft-ml/weft/simd/wasmasm"
	"github.com/weft-ml/weft/wasm/kernelc/gowasm"
)

// stepLayout holds the offsets of what the module reads of Go's structs prog.Step, prog.Kernel and prog.Worker.
type stepLayout struct {
	size, kernel, tiles uint32 // of a Step
	index               uint32 // of a Kernel
	worker, peers       uint32 // size of a Worker, its Peers
}

func layoutOf(p *gowasm.Program) (l stepLayout, err error) {
	scope := p.Packages[root+"core/prog"].Pkg.Scope()
	find := func(typ, field string) (offset uint32) {
		o := scope.Lookup(typ)
		if o == nil {
			err = fmt.Errorf("package prog has no type %s", typ)
			return 0
		}
		s := o.Type().Underlying().(*types.Struct)
		if field == "" {
			return uint32(gowasm.Sizes.Sizeof(s))
		}
		fields := make([]*types.Var, s.NumFields())
		at := -1
		for i := range fields {
			fields[i] = s.Field(i)
			if s.Field(i).Name() == field {
				at = i
			}
		}
		if at < 0 {
			err = fmt.Errorf("prog.%s has no field %s", typ, field)
			return 0
		}
		return uint32(gowasm.Sizes.Offsetsof(fields)[at])
	}
	l = stepLayout{
		size: find("Step", ""), kernel: find("Step", "Kernel"), tiles: find("Step", "Tiles"),
		index: find("Kernel", "index"), worker: find("Worker", ""), peers: find("Worker", "Peers"),
	}
	return l, err
}

// program adds the functions that run a step table.
type program struct {
	m      *Module
	c      *gowasm.Compiler
	layout stepLayout
	table  Table
	tileFn FuncType
}

// addLookup adds program_step(hash): the number of the step kernel whose name has the hash, 0 for none.
func (p *program) addLookup(names []string) {
	f := p.m.Func("program_step", Sig(I64)(I32))
	for i, name := range names {
		f.Get(f.Param(0, "hash")).I64(int64(hash(name))).Op(I64Eq).If(func() { f.I32(int32(i + 1)).Return() }, nil)
	}
	f.I32(0)
	p.m.ExportFunc("program_step", f)
}

// hash is 64-bit FNV-1a, as in package prog.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// addTile adds the function that runs one tile: tile(worker, step, number, tile) reports whether it failed.
func (p *program) addTile() *Func {
	f := p.m.Func("tile", Sig(I32, I32, I32, I32)(I32))
	w, s, k, t := f.Param(0, "worker"), f.Param(1, "step"), f.Param(2, "kernel"), f.Param(3, "tile")
	f.Get(w, s, t).Op(I64ExtendI32U).Get(k).CallIndirect(p.tileFn, p.table)
	f.GetGlobal(p.c.Failed).I32(0).SetGlobal(p.c.Failed)
	return f
}

// addRun adds program_run(steps, n, worker, budget): it executes steps one after the other and returns how many, stopping at one that
// has no compiled function or that fails, and when it has done budget tiles.
func (p *program) addRun(tile, share *Func) {
	f := p.m.Func("program_run", Sig(I32, I32, I32, I32)(I32))
	s, n, w, budget := f.Param(0, "steps"), f.Param(1, "n"), f.Param(2, "worker"), f.Param(3, "budget")
	i, k, t, tiles := f.Local(I32, "i"), f.Local(I32, "kernel"), f.Local(I32, "tile"), f.Local(I32, "tiles")
	f.Block(func(exit Label) {
		f.Loop(func(again Label) {
			f.Get(i, n).Op(I32GeU).BrIf(exit)
			f.Get(s).Mem(I32Load, p.layout.kernel).Mem(I32Load, p.layout.index).Tee(k).I32(0).Op(I32LeS).BrIf(exit)
			f.Get(s).Mem(I32Load, p.layout.tiles).Set(tiles)
			f.I32(0).Set(t)
			alone := func() {
				f.Loop(func(next Label) {
					f.Get(w, s, k, t).Call(tile).BrIf(exit)
					f.Get(t).I32(1).Op(I32Add).Tee(t).Get(tiles).Op(I32LtS).BrIf(next)
				})
			}
			if share == nil {
				alone()
			} else {
				f.Get(tiles).I32(1).Op(I32GtS).If(func() { f.Get(w, s, k, tiles).Call(share).BrIf(exit) }, alone)
			}
			f.Get(s).I32(int32(p.layout.size)).Op(I32Add).Set(s)
			f.Get(i).I32(1).Op(I32Add).Set(i)
			f.Get(budget, tiles).Op(I32Sub).Tee(budget).I32(0).Op(I32GtS).BrIf(again)
		})
	})
	f.Get(i)
	p.m.ExportFunc("program_run", f)
}
