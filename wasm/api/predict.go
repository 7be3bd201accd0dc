package api

import (
	"github.com/weft-ml/weft/core/data"
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

// job is a prediction or evaluation that takes more than one slice.
type job struct {
	model *model
	feed  train.Feed
	pins  []*tensorHandle
	eval  *train.Evaluator
	out   []*tensorHandle // of a prediction: what is there so far
	done  int             // samples
	total int
}

func (j *job) free(s *Server) {
	j.feed.Close()
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
			if h, ok := s.handles[id].(*tensorHandle); ok {
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

// dataset returns the data set that a value names, nil when it names none.
func (s *Server) dataset(v val) *dataset {
	if id, ok := v.asID(); ok {
		if d, ok := s.handles[id].(*dataset); ok {
			return d
		}
	}
	return nil
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

// targets converts labels for the losses of a model.
func (c *compiled) targets(s *Server, v val, n int) []*tensor.Tensor {
	if !v.ok() {
		fail(codeArgument, "labels", "are missing")
	}
	return c.targetsOf(s.tensors(v, "labels"), n)
}

func (c *compiled) targetsOf(y []*tensor.Tensor, n int) []*tensor.Tensor {
	if len(y) != len(c.objective) {
		fail(codeArgument, "labels", "the model has ", len(c.objective), " outputs, got labels for ", len(y))
	}
	out := make([]*tensor.Tensor, len(y))
	for i, t := range y {
		columns, sample := c.target(i)
		var err error
		if out[i], err = train.Targets(t, n, c.objective[i].Loss, columns, sample); err != nil {
			panic(err)
		}
	}
	return out
}

// modelPredict writes a model's outputs.
func (s *Server) modelPredict(a val) error {
	m := lookup[*model](s, a.id("id"), "model")
	batch := a.count("batchSize", train.EvalBatch, 1)
	jobID, sliced := a.get("job").asID()
	if sliced {
		if h := s.handles[jobID]; h != nil {
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
	j := &job{model: m, total: n}
	m.uses++
	ok := false
	defer func() {
		if !ok {
			j.freeLoose(s)
		}
	}()
	held := m.fitted(s.held(a.get("in"), "in", &j.pins))
	feed, err := train.NewTensorFeed(held, nil, m.net, data.Options{BatchSize: batch})
	if err != nil {
		return err
	}
	j.feed = feed
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

func (j *job) freeLoose(s *Server) {
	if j.feed == nil {
		j.feed = nothing{}
	}
	j.free(s)
}

// nothing is a feed that was never made.
type nothing struct{ train.Feed }

func (nothing) Close() {}

// predict runs one batch.
func (j *job) predict(s *Server) error {
	b, err := j.feed.Next(data.Background)
	if err != nil {
		return err
	}
	out, err := j.model.prog.Run(b.X...)
	if err != nil {
		return err
	}
	if j.out == nil {
		for _, t := range out {
			if t.Rank() == 0 || t.Shape()[0] != b.N {
				return &tensor.Error{Op: "model.predict", Msg: "an output is not per sample; give a batchSize of all samples", Shapes: [][]int{t.Shape()}}
			}
			shape := append([]int{j.total}, t.Shape()[1:]...)
			j.out = append(j.out, s.newTensor(t.DType(), shape))
		}
	}
	for i, t := range out {
		dst := j.out[i].t
		row := len(dst.Bytes()) / j.total
		if len(t.Bytes()) != row*b.N {
			return &tensor.Error{Op: "model.predict", Msg: "batches give outputs of different shapes", Shapes: [][]int{dst.Shape(), t.Shape()}}
		}
		copy(dst.Bytes()[row*j.done:], t.Bytes())
	}
	j.done += b.N
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

func (j *job) progress(s *Server) {
	s.w.fields(2)
	s.w.key("done")
	s.w.bool(false)
	s.w.key("progress")
	s.w.number(float64(j.done) / float64(j.total))
}

// predictMore goes on with a prediction until the time is up.
func (s *Server) predictMore(j *job, id uint64, a val) error {
	if j.eval != nil {
		fail(codeArgument, "job", "the id ", int64(id), " belongs to an evaluation")
	}
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
			j.progress(s)
			return nil
		}
	}
}

// modelEvaluate measures a model.
func (s *Server) modelEvaluate(a val) error {
	m := lookup[*model](s, a.id("id"), "model")
	jobID, sliced := a.get("job").asID()
	if sliced {
		if h := s.handles[jobID]; h != nil {
			return s.evaluateMore(lookup[*job](s, jobID, "job"), jobID, a)
		}
	}
	c := m.need("model.evaluate")
	eval := c.eval.Fork()
	if ms := a.get("metrics"); ms.ok() { // other metrics than compiled ones
		obj := append([]train.Objective{}, c.objective...)
		for i := range obj {
			obj[i].Metrics = append([]string{}, obj[i].Metrics...)
			for x := ms.first(); x.r != nil; x = x.after(ms) {
				name, err := train.ParseMetric(string(x.raw()))
				if err != nil {
					return err
				}
				obj[i].Metrics = append(obj[i].Metrics, name)
			}
		}
		var err error
		if eval, err = c.eval.With(obj); err != nil {
			return err
		}
	}
	j := &job{model: m, eval: eval}
	m.uses++
	ok := false
	defer func() {
		if !ok {
			j.freeLoose(s)
		}
	}()
	feed, err := s.evalFeed(c, a.get("in"), a.get("labels"), a.count("batchSize", train.EvalBatch, 1), &j.pins)
	if err != nil {
		return err
	}
	j.feed, j.total = feed, feed.Len()
	if sliced {
		s.add(jobID, j)
		ok = true
		return s.evaluateMore(j, jobID, a)
	}
	for j.done < j.total {
		if err := j.evaluate(); err != nil {
			return err
		}
	}
	j.result(s)
	return nil
}

// evalFeed returns the samples of an evaluation or validation in their order.
func (s *Server) evalFeed(c *compiled, in, labels val, batch int, pins *[]*tensorHandle) (train.Feed, error) {
	m := c.model
	if d := s.dataset(in); d != nil {
		l, err := data.NewLoader(d.src, data.Options{BatchSize: batch})
		if err != nil {
			return nil, err
		}
		_, sample := c.target(0)
		return train.NewSourceFeed(l, m.net, c.objective, sample)
	}
	x := m.fitted(s.held(in, "in", pins))
	y := c.targets(s, labels, x[0].Shape()[0])
	return train.NewTensorFeed(x, y, m.net, data.Options{BatchSize: batch})
}

func (j *job) evaluate() error {
	b, err := j.feed.Next(data.Background)
	if err != nil {
		return err
	}
	if err := j.eval.Add(b.X, b.Y, b.Samples); err != nil {
		return err
	}
	j.done += b.N
	return nil
}

func (s *Server) evaluateMore(j *job, id uint64, a val) error {
	if j.eval == nil {
		fail(codeArgument, "job", "the id ", int64(id), " belongs to a prediction")
	}
	more := s.deadline(a)
	for {
		if err := j.evaluate(); err != nil {
			s.release(id)
			return err
		}
		if j.done >= j.total {
			j.result(s)
			s.release(id)
			return nil
		}
		if !more() {
			j.progress(s)
			return nil
		}
	}
}

// result writes what an evaluation measured.
func (j *job) result(s *Server) {
	w := &s.w
	logs := j.eval.Logs(nil)
	conf := j.eval.Confusion(0)
	n := 5
	if conf != nil {
		n++
	}
	w.fields(n)
	w.key("done")
	w.bool(true)
	w.key("samples")
	w.int(j.eval.Samples())
	w.key("loss")
	w.number(logs[0].Value)
	w.key("metrics")
	s.logs(logs[1:])
	if conf != nil {
		w.key("confusion")
		w.matrix(conf)
	}
	w.key("wrong")
	w.list(len(j.eval.Wrong))
	for _, x := range j.eval.Wrong {
		w.fields(3)
		w.key("index")
		w.int(x.Sample)
		w.key("label")
		w.int(int(x.Label))
		w.key("predicted")
		w.int(int(x.Predicted))
	}
}
