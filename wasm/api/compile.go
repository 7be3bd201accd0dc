package api

import (
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/loss"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/optim"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/core/train"
)

// compiled is how a model is trained: what model.compile said, and the optimizer's state, which goes on from fit to fit.
type compiled struct {
	model     *model
	objective []train.Objective
	optimizer optim.Optimizer
	lr        float64
	schedule  optim.Schedule // nil: constant
	update    optim.Options

	state   *graph.Store // the model's weights and the optimizer's slots
	trainer *train.Trainer
	soft    bool // the trainer takes distributions where the objective says class numbers
	step    int
	eval    *train.Evaluator
	average *averaged
}

// averaged evaluates the moving averages of the weights.
type averaged struct {
	store *graph.Store
	eval  *train.Evaluator
}

// wrongKept is how many mistakes an evaluation reports.
const wrongKept = 64

func (c *compiled) close() {
	c.dropTrainer()
	if c.eval != nil {
		c.eval.Close()
	}
	c.state.Close()
}

func (c *compiled) dropTrainer() {
	if c.average != nil {
		c.average.eval.Close()
		c.average = nil
	}
	if c.trainer != nil {
		c.step = c.trainer.StepsDone()
		c.trainer.Close()
		c.trainer = nil
	}
}

// clipping reads how gradients are limited, with Keras's names and meaning, from the call's settings or else the optimizer's.
func clipping(op string, a, optimizer val, o optim.Options) optim.Options {
	set := func(name string, to *float32) {
		*to = float32(a.float(name, optimizer.float(name, float64(*to))))
		if !(*to >= 0) {
			fail(codeArgument, op, name, " must be 0 or more")
		}
	}
	if a.get("clipNorm").ok() || optimizer.get("clipNorm").ok() {
		o.ClipNorm = 0
	}
	set("clipNorm", &o.ClipVariableNorm)
	set("globalClipNorm", &o.ClipNorm)
	set("clipValue", &o.ClipValue)
	if o.ClipNorm > 0 && o.ClipVariableNorm > 0 {
		fail(codeArgument, op, "clipNorm limits the gradient of each variable, globalClipNorm all of them together: give one of the two")
	}
	return o
}

// modelCompile says how a model is trained and measured.
func (s *Server) modelCompile(a val) error {
	m := lookup[*model](s, a.id("id"), "model")
	if m.uses > 0 {
		fail(codeState, "model.compile", "a fit of the model is under way; stop it first")
	}
	c := &compiled{model: m}
	d := kerasDefaults
	if m.recipe != nil {
		r := m.recipe
		d = defaults{lr: map[string]float64{"sgd": 0.01, "momentum": 0.01, "nesterov": 0.01, r.Optimizer: r.LearningRate}}
		sched, err := optim.ParseSchedule(r.Schedule)
		if err != nil {
			return err
		}
		c.schedule = sched
		c.update.EMA, c.update.ClipNorm = float32(r.EMA), float32(r.ClipNorm)
	}
	oc := a.get("optimizer")
	if !oc.ok() && m.recipe != nil {
		opt, err := optim.Parse(m.recipe.Optimizer, m.recipe.WeightDecay)
		if err != nil {
			return err
		}
		c.optimizer, c.lr = opt, m.recipe.LearningRate
	} else {
		c.optimizer, c.lr = parseOptimizer(oc, d)
	}
	if sp := a.get("schedule"); sp.ok() {
		c.schedule = parseSchedule(sp)
	}
	c.update = clipping("model.compile", a, oc, c.update)
	c.update.EMA = float32(a.float("ema", float64(c.update.EMA)))
	if !(c.update.EMA >= 0 && c.update.EMA < 1) {
		fail(codeArgument, "model.compile", "ema must be 0 to less than 1")
	}
	c.objective = m.objectives(a)
	for i, o := range c.objective {
		y := m.graph.Outputs[i]
		if len(y.Shape) == 0 {
			fail(codeArgument, "model.compile", "output ", strconv.Quote(m.net.OutputName(i)), " has no known shape")
		}
		if _, err := train.NewMeasures(o.Metrics, o.Loss, y.Shape[len(y.Shape)-1]); err != nil {
			return err
		}
	}
	// What does not fit is found now, not in the first step.
	eval, err := train.NewEvaluator(s.runtime(), m.net, c.objective, m.store, wrongKept)
	if err != nil {
		return err
	}
	c.eval = eval
	c.state = graph.NewStoreIn(s.alloc())
	c.state.Link(m.store)
	if m.training != nil {
		m.training.close()
	}
	m.training = c
	s.w.null()
	return nil
}

// objectives reads losses, their weights and metrics, for every output.
func (m *model) objectives(a val) []train.Objective {
	n := len(m.graph.Outputs)
	out := make([]train.Objective, n)
	l := a.get("loss")
	if !l.ok() {
		fail(codeArgument, "model.compile", "the loss is missing")
	}
	perOutput := func(v val, f func(i int, v val)) {
		switch {
		case v.is(tagList) && v.len() == n && (n > 1 || v.first().is(tagList) || v.first().is(tagMap)):
			i := 0
			for c := v.first(); c.r != nil; c = c.after(v) {
				f(i, c)
				i++
			}
		case v.is(tagMap) && n > 1 && v.get("name").r == nil:
			for i := range n {
				f(i, v.get(m.net.OutputName(i)))
			}
		default:
			for i := range n {
				f(i, v)
			}
		}
	}
	perOutput(l, func(i int, v val) { out[i].Loss = m.loss(i, v) })
	if w := a.get("lossWeights"); w.ok() {
		perOutput(w, func(i int, v val) {
			f, ok := v.number()
			if !ok || !(f > 0) {
				fail(codeArgument, "lossWeights", "must be positive numbers")
			}
			out[i].Weight = f
		})
	}
	add := func(i int, v val) {
		if v.ok() {
			name, err := train.ParseMetric(string(v.raw()))
			if err != nil {
				panic(err)
			}
			for _, have := range out[i].Metrics {
				if have == name {
					return
				}
			}
			out[i].Metrics = append(out[i].Metrics, name)
		}
	}
	if ms := a.get("metrics"); ms.ok() {
		nested := ms.is(tagMap) || ms.first().is(tagList)
		each := func(i int, v val) {
			if v.is(tagString) {
				add(i, v)
				return
			}
			for c := v.first(); c.r != nil; c = c.after(v) {
				add(i, c)
			}
		}
		if nested {
			perOutput(ms, each)
		} else {
			for i := range n {
				each(i, ms)
			}
		}
	}
	return out
}

// loss reads the loss of an output.
func (m *model) loss(i int, v val) loss.Spec {
	name := ""
	switch {
	case v.is(tagString):
		name = string(v.raw())
	case v.is(tagMap):
		name = v.text("name", "")
	default:
		fail(codeArgument, "loss", "must be a name or {name, ...}")
	}
	l, err := loss.Parse(name)
	if err != nil {
		panic(err)
	}
	l.LabelSmoothing = v.float("labelSmoothing", 0)
	l.Delta = v.float("delta", 0)
	if !(l.LabelSmoothing >= 0 && l.LabelSmoothing < 1) || l.Delta < 0 {
		fail(codeArgument, "loss", "labelSmoothing must be 0 to less than 1 and delta 0 or more")
	}
	// Built-in and loaded models give logits unless they end in a Softmax or Sigmoid.
	y := m.graph.Outputs[i]
	ends := y.Node != nil && (y.Node.Def == &op.DefSoftmax || y.Node.Def == &op.DefSigmoid)
	l.FromLogits = v.flag("fromLogits", m.layers == nil && !ends)
	return l
}

// target returns the columns and the shape of one sample's targets of output i.
func (c *compiled) target(i int) (columns int, sample []int) {
	y := c.model.graph.Outputs[i]
	sample = append([]int{}, y.Shape[1:]...)
	for k, d := range sample {
		sample[k] = max(d, -1)
	}
	if len(sample) > 0 {
		columns = sample[len(sample)-1]
	}
	if c.objective[i].Loss.Sparse() {
		sample = sample[:len(sample)-1]
	}
	return columns, sample
}

// need returns the model's training settings; without them it fails.
func (m *model) need(what string) *compiled {
	c, _ := m.training.(*compiled)
	if c == nil {
		fail(codeState, what, "the model is not compiled: call compile first")
	}
	return c
}

// training returns the trainer. soft asks for one whose targets are distributions, for data that mixes samples.
func (c *compiled) training(s *Server, soft bool, steps int) *train.Trainer {
	if c.trainer != nil && c.soft == soft {
		return c.trainer
	}
	c.dropTrainer()
	obj := c.objective
	if soft {
		obj = append([]train.Objective{}, obj...)
		if obj[0].Loss.Sparse() {
			obj[0].Loss.Name = loss.Categorical
		}
	}
	t, err := train.NewTrainer(s.runtime(), train.Setup{Net: c.model.net, Objectives: obj, Seed: c.model.seed, Optimizer: c.optimizer, LearningRate: c.lr, Schedule: c.schedule,
		Steps: steps, Update: c.update, Store: c.state})
	if err != nil {
		panic(err)
	}
	t.Continue(c.step)
	c.trainer, c.soft = t, soft
	return t
}

// evaluator returns what measures the model; under averages the moving averages of the weights, where the training keeps them.
func (c *compiled) evaluator(s *Server, averages bool) *train.Evaluator {
	if !averages || c.update.EMA == 0 {
		return c.eval
	}
	if c.average == nil {
		a := &averaged{store: graph.NewStore()}
		for _, cell := range c.model.store.Cells() {
			use := cell
			if e := c.state.Cell(cell.Name + optim.EMASuffix); e != nil {
				use = e
			}
			a.store.LinkAs(cell.Name, use)
		}
		e, err := train.NewEvaluator(s.runtime(), c.model.net, c.objective, a.store, 0)
		if err != nil {
			panic(err)
		}
		a.eval = e
		c.average = a
	}
	return c.average.eval
}

// settle makes the moving averages of the weights the weights.
func (c *compiled) settle() error {
	if c.update.EMA == 0 {
		return nil
	}
	for _, cell := range c.model.store.Cells() {
		if e := c.state.Get(cell.Name + optim.EMASuffix); e != nil {
			if err := c.model.store.Set(cell.Name, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// modelTrainOnBatch makes one step.
func (s *Server) modelTrainOnBatch(a val) error {
	m := lookup[*model](s, a.id("id"), "model")
	m.need("model.trainOnBatch")
	loss, err := s.trainOn(m, s.tensors(a.get("x"), "in"), s.labels(a.get("y")))
	if err != nil {
		return err
	}
	w := &s.w
	w.fields(2)
	w.key("loss")
	w.number(loss)
	w.key("logs")
	s.logs(s.logList)
	return nil
}

// trainOn makes one step on a batch and returns its loss; what it measured is in logList.
func (s *Server) trainOn(m *model, x, y []*tensor.Tensor) (loss float64, err error) {
	c := m.need("model.trainOnBatch")
	x = m.ready(m.checked(x))
	y = c.targetsOf(y, x[0].Shape()[0])
	t := c.training(s, false, 0)
	r, err := t.StepOn(x, y)
	if err != nil {
		return 0, err
	}
	s.logList = t.StepLogs(s.logList[:0], r, y)
	return float64(r.Loss), nil
}

// logs writes named numbers as a map.
func (s *Server) logs(l []train.Log) {
	s.w.fields(len(l))
	for _, x := range l {
		s.w.key(x.Name)
		s.w.number(x.Value)
	}
}
