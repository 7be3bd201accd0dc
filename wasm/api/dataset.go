package api

import (
	"bytes"

	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/data/digits"
	"github.com/weft-ml/weft/core/data/idx/raw"
	"github.com/weft-ml/weft/core/data/preprocess/ink"
	"github.com/weft-ml/weft/core/loss"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/core/train"
)

// dataset is a source of samples.
type dataset struct {
	src    data.Source
	base   data.Source // without what was appended
	x      []float32   // appended
	labels []int64
}

func (d *dataset) free(*Server) {}

func (s *Server) describeData(d *dataset) {
	spec := d.src.Spec()
	w := &s.w
	w.fields(3)
	w.key("samples")
	w.int(d.src.Len())
	w.key("shape")
	w.shape(spec.Shape)
	w.key("classes")
	w.int(spec.Classes)
}

func (s *Server) addData(id uint64, src data.Source) {
	d := &dataset{src: src, base: src}
	s.add(id, d)
	s.describeData(d)
}

func (s *Server) digitsNew(a val) error {
	id := s.unused(a.id("id"))
	n := a.count("samples", 0, 0)
	if n > 1<<30 {
		fail(codeArgument, "digits", "samples must be at most ", 1<<30)
	}
	s.addData(id, digits.New(digits.Options{Seed: a.seed(s.seed), Samples: n, Test: a.flag("test", false)}))
	return nil
}

// datasetNew makes a data set of samples [n, shape...] with class numbers. Bytes stay bytes in memory and are read as they are, unscaled.
func (s *Server) datasetNew(a val) error {
	id := s.unused(a.id("id"))
	x := s.tensors(a.get("x"), "x")[0]
	if x.Rank() < 2 || x.Len() == 0 || !x.DType().IsNumeric() || x.DType().Bits() < 8 {
		return &tensor.Error{Op: "dataset.new", Msg: "x must be numbers [n, ...]", Shapes: [][]int{x.Shape()}}
	}
	if int64(4*x.Len()) > s.alloc().Room() {
		fail(tensor.CodeMemory, "dataset.new", x.Len(), " numbers do not fit the memory budget")
	}
	if err := train.CheckFinite("dataset.new", "element", x); err != nil {
		return err
	}
	n := x.Shape()[0]
	labels := s.tensors(a.get("y"), "y")[0]
	classes := a.count("classes", 0, 0)
	if classes == 0 {
		for _, v := range labels.Float64s() {
			if v < 1<<20 {
				classes = max(classes, int(v)+1)
			}
		}
	}
	y, err := train.Targets(labels, n, loss.Spec{Name: loss.SparseCategorical}, classes, nil)
	if err != nil {
		return err
	}
	spec := data.Spec{Shape: append([]int{}, x.Shape()[1:]...), Classes: classes}
	var src data.Source
	if x.DType() == tensor.Uint8 {
		src, err = data.NewBytes(spec, append([]byte(nil), x.Contiguous().Bytes()...), y.Int64s(), 1)
	} else {
		f := tensor.New(tensor.Float32, x.Shape()...)
		train.Convert(f, x.Contiguous())
		src, err = data.NewMemory(spec, f.Float32s(), y.Int64s(), nil)
	}
	if err != nil {
		return err
	}
	s.addData(id, src)
	return nil
}

func (s *Server) idxNew(a val) error {
	id := s.unused(a.id("id"))
	read := func(key string) *raw.Array {
		b := a.array(key).Bytes()
		if int64(len(b)) > s.alloc().Room() {
			fail(tensor.CodeMemory, "idx", key, " of ", len(b), " bytes do not fit the memory budget")
		}
		// Of a header that promises more than there is, the reader says where the file ends.
		const most = 1 << 30
		x, err := raw.Read(bytes.NewReader(b), a.text(key+"Name", key), max(most, int64(len(b))))
		if err != nil {
			panic(asFormat(err))
		}
		return x
	}
	src, err := raw.Samples(read("images"), a.text("imagesName", "images"), read("labels"), a.text("labelsName", "labels"), a.count("classes", 0, 0))
	if err != nil {
		return asFormat(err)
	}
	s.addData(id, src)
	return nil
}

// maxSamples bounds what one dataset.get returns, in numbers.
const maxSamples = 1 << 26

func (s *Server) datasetGet(a val) error {
	d := lookup[*dataset](s, a.id("id"), "dataset")
	from, count, epoch := a.count("from", 0, 0), a.count("count", 1, 1), a.count("epoch", 0, 0)
	spec := d.src.Spec()
	size := spec.Size()
	if from > d.src.Len() || count > d.src.Len()-from || count > maxSamples/size {
		fail(codeArgument, "dataset", "has ", d.src.Len(), " samples; ", count, " from ", from, " are asked for")
	}
	x := tensor.New(tensor.Float32, append([]int{count}, spec.Shape...)...)
	y := tensor.New(tensor.Int32, count)
	target := make([]float32, spec.Targets)
	for i := range count {
		l, err := d.src.Read(epoch, from+i, x.Float32s()[i*size:(i+1)*size], target)
		if err != nil {
			return err
		}
		tensor.Data[int32](y)[i] = int32(l)
	}
	s.w.fields(2)
	s.w.key("x")
	s.w.tensor(x)
	s.w.key("y")
	s.w.tensor(y)
	return nil
}

// datasetAppend adds samples behind those there are.
func (s *Server) datasetAppend(a val) error {
	d := lookup[*dataset](s, a.id("id"), "dataset")
	spec := d.base.Spec()
	x := shaped(s.tensors(a.get("x"), "x")[0], train.Input{Name: "x", Shape: spec.Shape})
	if spec.Targets != 0 || spec.Classes == 0 {
		fail(codeArgument, "dataset.append", "samples can be appended to data with class labels only")
	}
	if err := train.CheckFinite("dataset.append", "element", x); err != nil {
		return err
	}
	n := x.Shape()[0]
	y, err := train.Targets(s.tensors(a.get("y"), "y")[0], n, loss.Spec{Name: loss.SparseCategorical}, spec.Classes, nil)
	if err != nil {
		return err
	}
	f := tensor.New(tensor.Float32, x.Shape()...)
	train.Convert(f, x.Contiguous())
	// New slices: a fit that is under way keeps reading what it began with.
	d.x = append(d.x[:len(d.x):len(d.x)], f.Float32s()...)
	d.labels = append(d.labels[:len(d.labels):len(d.labels)], y.Int64s()...)
	more, err := data.NewMemory(data.Spec{Shape: spec.Shape, Classes: spec.Classes, Names: spec.Names}, d.x, d.labels, nil)
	if err != nil {
		return err
	}
	if d.src, err = data.NewConcat(d.base, more); err != nil {
		return err
	}
	s.describeData(d)
	return nil
}

func (s *Server) datasetConcat(a val) error {
	id := s.unused(a.id("id"))
	var parts []data.Source
	for c := a.get("of").first(); c.r != nil; c = c.after(a.get("of")) {
		part, ok := c.asID()
		if !ok {
			fail(codeArgument, "of", "must be ids of data sets")
		}
		parts = append(parts, lookup[*dataset](s, part, "dataset").src)
	}
	src, err := data.NewConcat(parts...)
	if err != nil {
		return err
	}
	s.addData(id, src)
	return nil
}

// preprocessDigit prepares a picture of a digit as the training data is.
func (s *Server) preprocessDigit(a val) error {
	t := a.array("pixels")
	sh := t.Shape()
	if t.Rank() == 3 && sh[2] != 1 && sh[2] != 4 || t.Rank() < 2 || t.Rank() > 3 || t.Len() == 0 {
		return &tensor.Error{Op: "preprocess", Msg: "pixels must be [height, width], [height, width, 1] or RGBA [height, width, 4]", Shapes: [][]int{sh}}
	}
	h, w := sh[0], sh[1]
	if w > 1<<13 || h > 1<<13 {
		fail(codeArgument, "preprocess", "the picture of ", w, "x", h, " is too large: scale it down first")
	}
	var luma []float32
	switch {
	case t.DType() == tensor.Uint8 && t.Rank() == 3 && sh[2] == 4:
		luma = ink.Luma(t.Bytes())
	case t.DType() == tensor.Uint8:
		luma = make([]float32, w*h)
		for i, v := range t.Bytes() {
			luma[i] = float32(v) / 255
		}
	case t.DType() == tensor.Float32 && t.Len() == w*h: // 0..1
		if err := train.CheckFinite("preprocess", "pixel", t); err != nil {
			return err
		}
		luma = append(luma, t.Float32s()...)
	default:
		fail(codeArgument, "preprocess", "pixels must be uint8, or float32 of one channel")
	}
	out, err := ink.Plane(luma, w, h)
	s.w.fields(2)
	s.w.key("x")
	s.w.tensor(tensor.From(out[:], 1, 1, ink.Size, ink.Size))
	s.w.key("blank")
	s.w.bool(err != nil) // no ink is no mistake: the pad is empty
	return nil
}

// metricsCompute measures predictions that the caller has.
func (s *Server) metricsCompute(a val) error {
	pred := s.tensors(a.get("yPred"), "yPred")[0]
	want := s.tensors(a.get("yTrue"), "yTrue")[0]
	if pred.Rank() == 0 || !pred.DType().IsFloat() {
		return &tensor.Error{Op: "metrics", Msg: "yPred must be floating-point numbers [n, ...]", Shapes: [][]int{pred.Shape()}}
	}
	var names []string
	for c := a.get("names").first(); c.r != nil; c = c.after(a.get("names")) {
		n, err := train.ParseMetric(string(c.raw()))
		if err != nil {
			return err
		}
		names = append(names, n)
	}
	n, columns := pred.Shape()[0], 1
	if pred.Rank() > 1 {
		columns = pred.Shape()[pred.Rank()-1]
	}
	l := loss.Spec{Name: loss.SquaredError, FromLogits: a.flag("fromLogits", false)}
	sample := pred.Shape()[1:]
	if want.Len() == pred.Len()/max(columns, 1) && columns > 1 {
		l.Name, sample = loss.SparseCategorical, sample[:len(sample)-1]
	} else if columns == 1 {
		l.Name = loss.Binary
	}
	m, err := train.NewMeasures(names, l, columns)
	if err != nil {
		return err
	}
	y, err := train.Targets(want, n, l, columns, sample)
	if err != nil {
		return err
	}
	out := tensor.New(tensor.Float32, pred.Shape()...)
	train.Convert(out, pred.Contiguous())
	if err := m.Update(out, y); err != nil {
		return err
	}
	logs := m.Logs(nil)
	w := &s.w
	k := len(logs)
	conf := m.Confusion()
	if conf != nil {
		k++
	}
	w.fields(k)
	for _, x := range logs {
		w.key(x.Name)
		w.number(x.Value)
	}
	if conf != nil {
		w.key("confusion")
		w.matrix(conf)
	}
	return nil
}
