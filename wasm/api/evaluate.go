package api

import (
	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/core/train"
)

// evaluation is an evaluation that takes more than one slice.
type evaluation struct {
	model       *model
	feed        train.Feed
	pins        []*tensorHandle
	eval        *train.Evaluator
	done, total int // samples
}

func (j *evaluation) of() *model { return j.model }

func (j *evaluation) free(s *Server) {
	if j.feed != nil {
		j.feed.Close()
	}
	for _, h := range j.pins {
		h.unpin(s)
	}
	j.model.uses--
}

// dataset returns the data set that a value names, nil when it names none.
func (s *Server) dataset(v val) *dataset {
	if id, ok := v.asID(); ok {
		if d, ok := s.handles.get(id).(*dataset); ok {
			return d
		}
	}
	return nil
}

// targets converts labels for the losses of a model.
func (c *compiled) targets(s *Server, v val, n int) []*tensor.Tensor {
	return c.targetsOf(s.labels(v), n)
}

// labels resolves the data of targets.
func (s *Server) labels(v val) []*tensor.Tensor {
	if !v.ok() {
		fail(codeArgument, "labels", "are missing")
	}
	return s.tensors(v, "labels")
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

// modelEvaluate measures a model.
func (s *Server) modelEvaluate(a val) error {
	m := lookup[*model](s, a.id("id"), "model")
	jobID, sliced := a.get("job").asID()
	if sliced {
		if h := s.handles.get(jobID); h != nil {
			return s.evaluateMore(lookup[*evaluation](s, jobID, "evaluation"), jobID, a)
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
	j := &evaluation{model: m, eval: eval}
	m.uses++
	ok := false
	defer func() {
		if !ok {
			j.free(s)
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

func (j *evaluation) evaluate() error {
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

func (s *Server) evaluateMore(j *evaluation, id uint64, a val) error {
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
			s.progress(j.done, j.total)
			return nil
		}
	}
}

// result writes what an evaluation measured.
func (j *evaluation) result(s *Server) {
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
