package compile

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// A program file is a program bound to one set of input shapes, as data that the page's kernel module runs by itself, without Go: the step
// table, the sizes of the regions and the contents of those that do not change. All numbers are little-endian; a blob is its length
// (uint32), zeros up to a multiple of 8 from the file's start, and its bytes; a text is a length and UTF-8.
//
//	"weftprog", uint32 1, uint32 variants, then
//	per variant of the kernel module: blob
//	  text name; uint32 sizes of a step, a kernel, offset of a kernel's index, size of a worker; blob kernel set,
//	  uint32 addresses in it that are relative to its start, uint32 place of each;
//	  uint32 arena, scratch; blob values known at bind time; uint32 packed copies, uint32 size of each;
//	  uint32 kernels, text name of each; uint32 steps that pack, uint32 all steps; blob steps (number of the kernel in place of its pointer)
//	zeros up to a multiple of 8
//	uint32 inputs, uint32 outputs, of each: text name, uint32 element type (ONNX), uint32 rank, uint32 dimensions
//	uint32 variables and constants, blob contents of each
//	uint32 entries of metadata, two texts each
//
// Regions are numbered as in a program: arena, random state, bind-time values, inputs, outputs, variables and constants, packed copies.
const exportMagic = "weftprog"

// Export returns the program, bound to inputs of the given shapes, as a program file for the kernel module that is loaded now; the file
// has that one variant, see [MergeExports]. Only a build for the page has kernel modules. Programs that change variables, draw random
// numbers, or have steps that need Go cannot be exported; the error names the reason.
func (p *Program) Export(shapes ...[]int) (file []byte, err error) {
	const what = "Export"
	if !prog.InModule() {
		return nil, tensor.Err(what, "program files are made by the build for the page, whose kernels run them; the kernels here are ", simd.Current().Name)
	}
	if err := p.Bind(shapes...); err != nil {
		return nil, err
	}
	p.rt.mu.Lock()
	defer p.rt.mu.Unlock()
	defer tensor.Catch(&err)
	b, err := p.boundFor(shapes)
	if err != nil {
		return nil, err
	}
	switch {
	case b.dynamic:
		return nil, tensor.Err(what, "the shapes of values depend on data")
	case len(p.s.updates) > 0:
		return nil, tensor.Err(what, "the program changes variables")
	}
	if p.prelude != nil {
		if err := p.prelude.prepare(); err != nil {
			return nil, err
		}
	}
	var v exportWriter
	v.text(simd.Current().Name)
	for _, n := range prog.Layout() {
		v.u32(n)
	}
	image, relocs := prog.KernelImage()
	v.blob(image)
	v.u32(len(relocs))
	for _, at := range relocs {
		v.u32(at)
	}
	v.u32(b.arena)
	scratch := b.scratch
	var steps []prog.Step
	sizes := make([]int, len(p.packs))
	for _, k := range b.packs {
		steps = append(steps, k.step)
		sizes[k.index] = len(k.buf)
		scratch = max(scratch, int(k.step.Worker))
	}
	packing := len(steps)
	steps = append(steps, b.steps...)
	v.u32(scratch)
	v.blob(b.data)
	v.u32(len(sizes))
	for _, n := range sizes {
		v.u32(n)
	}
	var kernels []*prog.Kernel
	number := map[*prog.Kernel]int{}
	for i := range steps {
		k := steps[i].Kernel
		if _, ok := number[k]; ok {
			continue
		}
		if !prog.Compiled(k) {
			return nil, tensor.Err(what, "the kernel module has no step kernel ", k.Name)
		}
		for _, r := range steps[i].A {
			if r != prog.None && r.Region() == regRand {
				return nil, tensor.Err(what, "step kernel ", k.Name, " draws random numbers")
			}
		}
		number[k] = len(kernels)
		kernels = append(kernels, k)
	}
	v.u32(len(kernels))
	for _, k := range kernels {
		v.text(k.Name)
	}
	v.u32(packing)
	v.u32(len(steps))
	table := make([]byte, 0, len(steps)*prog.Layout()[0])
	for i := range steps {
		at := len(table)
		table = append(table, steps[i].Bytes()...)
		clear(table[at : at+8]) // the kernel's address
		table[at], table[at+1] = byte(number[steps[i].Kernel]), byte(number[steps[i].Kernel]>>8)
	}
	v.blob(table)

	var f exportWriter
	f.head(1)
	f.blob(v.b)
	f.b = padded(f.b)
	f.u32(len(p.g.Inputs))
	f.u32(len(p.g.Outputs))
	for i, in := range p.g.Inputs {
		f.value(in.Name, in.DType, shapes[i])
	}
	for i, out := range p.g.Outputs {
		f.value(out.Name, b.outs[i].DType, b.outs[i].Shape)
	}
	f.u32(len(p.cells) + len(p.s.consts))
	for i, c := range p.cells {
		if i < len(p.s.varVals) && p.s.varVals[i] < 0 {
			f.blob(nil) // what is computed from it is among the variables behind
			continue
		}
		f.tensor(c.Tensor)
	}
	for _, t := range p.s.consts {
		f.tensor(t)
	}
	f.meta(p.g.Meta)
	return f.b, nil
}

// exportWriter writes the parts of a program file.
type exportWriter struct{ b []byte }

func (w *exportWriter) head(variants int) {
	w.b = append(w.b, exportMagic...)
	w.u32(1)
	w.u32(variants)
}

func (w *exportWriter) u32(n int) { w.b = append(w.b, byte(n), byte(n>>8), byte(n>>16), byte(n>>24)) }

func (w *exportWriter) text(s string) {
	w.u32(len(s))
	w.b = append(w.b, s...)
}

func (w *exportWriter) blob(b []byte) {
	w.u32(len(b))
	for len(w.b)%8 != 0 {
		w.b = append(w.b, 0)
	}
	w.b = append(w.b, b...)
}

func (w *exportWriter) value(name string, t tensor.DType, shape []int) {
	w.text(name)
	w.u32(int(t))
	w.u32(len(shape))
	for _, d := range shape {
		w.u32(d)
	}
}

func (w *exportWriter) tensor(t *tensor.Tensor) {
	if t.DType() == tensor.String {
		w.blob(nil) // no step reads strings
		return
	}
	w.blob(t.Contiguous().Bytes())
}

func (w *exportWriter) meta(entries []graph.MetaEntry) {
	w.u32(len(entries))
	for _, e := range entries {
		w.text(e.Key)
		w.text(e.Value)
	}
}

// padded fills up to a multiple of 8, so that what follows keeps its alignment.
func padded(b []byte) []byte {
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	return b
}
