package api

import (
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/core/train"
)

// defaultBudget is how long a slice of work takes unless the caller says otherwise, in milliseconds.
const defaultBudget = 30

// deadline returns a function that reports whether there is time for more work.
func (s *Server) deadline(a val) func() bool {
	if s.opt.Now == nil {
		return func() bool { return false }
	}
	ms := a.float("budget", defaultBudget)
	end := s.opt.Now() + int64(ms*1e6)
	return func() bool { return s.opt.Now() < end }
}

// job is a prediction that takes more than one slice.
type job struct {
	model *model
	pins  []*tensorHandle
	x     []*tensor.Tensor
	batch int
	out   []*tensorHandle // what is there so far
	done  int             // samples
	total int
}

func (j *job) of() *model { return j.model }

func (j *job) free(s *Server) {
	for _, h := range j.pins {
		h.unpin(s)
	}
	for _, h := range j.out {
		h.free(s)
	}
	j.model.uses--
}

// held returns data that stays when the call is over: tensors are pinned, arrays copied.
func (s *Server) held(v val, what string, pins *[]*tensorHandle) []*tensor.Tensor {
	one := func(v val) *tensor.Tensor {
		if id, ok := v.asID(); ok {
			if h, ok := s.handles.get(id).(*tensorHandle); ok {
				*pins = append(*pins, h.pin())
				return h.t
			}
		}
		c := s.copied(s.tensors(v, what)[0])
		c.gone = true // freed when it is unpinned
		*pins = append(*pins, c.pin())
		return c.t
	}
	if !v.is(tagList) {
		return []*tensor.Tensor{one(v)}
	}
	var out []*tensor.Tensor
	for c := v.first(); c.r != nil; c = c.after(v) {
		out = append(out, one(c))
	}
	return out
}

// fitted returns held inputs cut into samples and checked.
func (m *model) fitted(x []*tensor.Tensor) []*tensor.Tensor {
	if len(x) != len(m.net.Inputs) {
		fail(codeArgument, "data", "the model takes ", len(m.net.Inputs), " inputs, got ", len(x))
	}
	for i := range x {
		x[i] = shaped(x[i], m.net.Inputs[i])
		if err := train.CheckFinite("data", "element", x[i]); err != nil {
			panic(err)
		}
	}
	return x
}

// modelPredict writes a model's outputs.
func (s *Server) modelPredict(a val) error {
	m := lookup[*model](s, a.id("id"), "model")
	batch := a.count("batchSize", train.EvalBatch, 1)
	jobID, sliced := a.get("job").asID()
	if sliced {
		if h := s.handles.get(jobID); h != nil {
			return s.predictMore(lookup[*job](s, jobID, "job"), jobID, a)
		}
	}
	x := m.inputs(s, a.get("in"))
	n := x[0].Shape()[0]
	if n <= batch {
		out, err := m.prog.Run(m.ready(x)...)
		if err != nil {
			return err
		}
		s.w.fields(2)
		s.w.key("done")
		s.w.bool(true)
		s.w.key("outputs")
		s.w.list(len(out))
		for _, t := range out {
			s.w.tensor(t)
		}
		return nil
	}
	j := &job{model: m, total: n, batch: batch}
	m.uses++
	ok := false
	defer func() {
		if !ok {
			j.free(s)
		}
	}()
	j.x = m.fitted(s.held(a.get("in"), "in", &j.pins))
	if sliced {
		s.add(jobID, j)
		ok = true
		return s.predictMore(j, jobID, a)
	}
	for j.done < j.total {
		if err := j.predict(s); err != nil {
			return err
		}
	}
	j.write(s)
	return nil
}

// predict runs one batch.
func (j *job) predict(s *Server) error {
	n := min(j.batch, j.total-j.done)
	out, err := j.model.prog.Run(j.model.ready(rowsOf(j.x, j.done, j.done+n))...)
	if err != nil {
		return err
	}
	if j.out == nil {
		for _, t := range out {
			if t.Rank() == 0 || t.Shape()[0] != n {
				return &tensor.Error{Op: "model.predict", Msg: "an output is not per sample; give a batchSize of all samples", Shapes: [][]int{t.Shape()}}
			}
			shape := append([]int{j.total}, t.Shape()[1:]...)
			j.out = append(j.out, s.newTensor(t.DType(), shape))
		}
	}
	for i, t := range out {
		dst := j.out[i].t
		row := len(dst.Bytes()) / j.total
		if len(t.Bytes()) != row*n {
			return &tensor.Error{Op: "model.predict", Msg: "batches give outputs of different shapes", Shapes: [][]int{dst.Shape(), t.Shape()}}
		}
		copy(dst.Bytes()[row*j.done:], t.Bytes())
	}
	j.done += n
	return nil
}

func (j *job) write(s *Server) {
	s.w.fields(2)
	s.w.key("done")
	s.w.bool(true)
	s.w.key("outputs")
	s.w.list(len(j.out))
	for _, h := range j.out {
		s.w.tensor(h.t)
	}
}

// progress says how much of a job is done.
func (s *Server) progress(done, total int) {
	s.w.fields(2)
	s.w.key("done")
	s.w.bool(false)
	s.w.key("progress")
	s.w.number(float64(done) / float64(total))
}

// predictMore goes on with a prediction until the time is up.
func (s *Server) predictMore(j *job, id uint64, a val) error {
	more := s.deadline(a)
	for {
		if err := j.predict(s); err != nil {
			s.release(id)
			return err
		}
		if j.done >= j.total {
			j.write(s)
			s.release(id)
			return nil
		}
		if !more() {
			s.progress(j.done, j.total)
			return nil
		}
	}
}

// rowsOf returns the samples [from, to) of tensors, sharing their memory.
func rowsOf(ts []*tensor.Tensor, from, to int) []*tensor.Tensor {
	out := make([]*tensor.Tensor, len(ts))
	for i, t := range ts {
		n := t.Shape()[0]
		b := t.Bytes()
		row := len(b) / n
		out[i] = tensor.Wrap(t.DType(), append([]int{to - from}, t.Shape()[1:]...), b[from*row:to*row])
	}
	return out
}
