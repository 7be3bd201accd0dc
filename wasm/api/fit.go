package api

import (
	"strconv"

	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/data/augment"
	"github.com/weft-ml/weft/core/optim"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/core/train"
)

// fit is a training run that is under way.
type fit struct {
	model    *model
	c        *compiled
	fit      *train.Fit
	trainer  *train.Trainer
	pins     []*tensorHandle
	settings map[string]string
	events   int
	over     bool
	batch    train.Batch // of a fit that is fed
}

func (f *fit) free(s *Server) { f.end(s) }
func (f *fit) of() *model     { return f.model }

// end lets go of the data; the trained weights stay.
func (f *fit) end(s *Server) {
	if f.over {
		return
	}
	f.over = true
	f.fit.Stop()
	f.fit.Close()
	for _, h := range f.pins {
		h.unpin(s)
	}
	f.pins = nil
	f.model.uses--
}

// fitStart begins a training run.
func (s *Server) fitStart(a val) error {
	id := s.unused(a.id("id"))
	m := lookup[*model](s, a.id("model"), "model")
	c := m.need("fit.start")
	if m.uses > 0 {
		for _, h := range s.handles.all {
			if f, ok := h.(*fit); ok && f.model == m && !f.over {
				fail(codeState, "fit.start", "another fit of the model is under way")
			}
		}
	}
	seed := a.seed(m.seed)
	opt := data.Options{BatchSize: a.count("batchSize", 32, 1), Shuffle: a.flag("shuffle", true), Seed: seed}
	fo := train.FitOptions{Epochs: a.count("epochs", 1, 1), InitialEpoch: a.count("initialEpoch", 0, 0), MaxSteps: a.count("steps", 0, 0)}
	if opt.BatchSize > 1<<20 || fo.Epochs > 1_000_000 {
		fail(codeArgument, "fit.start", "batchSize must be at most ", 1<<20, " and epochs at most ", 1_000_000)
	}
	f := &fit{model: m, c: c, settings: map[string]string{}}
	m.uses++
	ok := false
	var feeds []train.Feed
	defer func() {
		if !ok {
			for _, h := range f.pins {
				h.unpin(s)
			}
			for _, x := range feeds {
				x.Close()
			}
			m.uses--
		}
	}()
	feed, val, soft, err := s.fitData(f, a, opt)
	if err != nil {
		return err
	}
	if feed != nil {
		feeds = append(feeds, feed)
	}
	if val == nil {
		if v := a.get("validation"); v.ok() {
			if val, err = s.evalFeed(c, v.get("x"), v.get("y"), train.EvalBatch, &f.pins); err != nil {
				return err
			}
		}
	}
	steps, samples, perEpoch := 0, 0, a.count("stepsPerEpoch", 0, 0)
	if feed != nil {
		samples, perEpoch = feed.Len(), feed.Steps()
	}
	steps = (fo.Epochs - fo.InitialEpoch) * perEpoch
	if fo.MaxSteps > 0 && (steps == 0 || fo.MaxSteps < steps) {
		steps = fo.MaxSteps
	}
	t := c.training(s, soft, steps)
	sched := c.schedule
	if sp := a.get("schedule"); sp.ok() {
		sched = parseSchedule(sp)
	}
	if sched == nil {
		sched = optim.Constant{}
	}
	// The schedule spans the whole run, also when a part of it was made before.
	t.Begin(sched, steps)
	if lr := a.float("learningRate", 0); lr > 0 {
		t.SetLearningRate(lr)
	} else {
		t.SetLearningRate(c.lr)
	}
	if val != nil {
		feeds = append(feeds, val)
		fo.Validation, fo.Evaluator = val, c.evaluator(s, true).Fork()
	}
	if f.fit, err = train.NewFit(t, feed, fo); err != nil {
		return err
	}
	f.trainer = t
	for k, v := range f.fit.Settings() {
		f.settings[k] = v
	}
	f.settings["batch-size"], f.settings["samples"], f.settings["loss"] = itoa(opt.BatchSize), itoa(samples), c.objective[0].Loss.Name
	f.settings["lr"] = strconv.FormatFloat(c.lr, 'g', -1, 64)
	s.add(id, f)
	ok = true
	w := &s.w
	w.fields(3)
	w.key("stepsPerEpoch")
	w.int(perEpoch)
	w.key("steps")
	w.int(steps)
	w.key("samples")
	w.int(samples)
	return nil
}

// fitData returns what a fit trains on and, under validationSplit, what it is validated on; a nil feed for fits that are fed. soft reports that targets are
// distributions over classes.
func (s *Server) fitData(f *fit, a val, opt data.Options) (feed, val train.Feed, soft bool, err error) {
	m, c := f.model, f.c
	split := a.float("validationSplit", 0)
	if !(split >= 0 && split < 1) {
		fail(codeArgument, "validationSplit", "must be 0 to less than 1")
	}
	spec := a.text("augment", "")
	if spec == "none" {
		spec = ""
	}
	if m.recipe != nil && !a.get("augment").ok() {
		spec = m.recipe.Augment
	}
	f.settings["augment"] = spec
	if a.flag("stream", false) {
		if split > 0 || spec != "" && a.get("augment").ok() {
			fail(codeArgument, "fit.start", "validationSplit and augment need data that is there from the start")
		}
		f.batch = train.Batch{X: make([]*tensor.Tensor, len(m.net.Inputs))}
		return nil, nil, false, nil
	}
	_, sample := c.target(0)
	var src data.Source
	var x, y []*tensor.Tensor
	if d := s.dataset(a.get("x")); d != nil {
		src = d.src
	} else {
		x = m.fitted(s.held(a.get("x"), "x", &f.pins))
		y = c.targets(s, a.get("y"), x[0].Shape()[0])
		if spec != "" {
			if src, err = c.pictures(x, y, spec); err != nil {
				return nil, nil, false, err
			}
		}
	}
	if src == nil {
		n := x[0].Shape()[0]
		if k := int(float64(n) * (1 - split)); split > 0 { // Keras: the last samples, before any shuffling
			if k < 1 || k >= n {
				fail(codeArgument, "validationSplit", "of ", n, " samples leaves one part empty")
			}
			if val, err = train.NewTensorFeed(rowsOf(x, k, n), rowsOf(y, k, n), m.net, data.Options{BatchSize: train.EvalBatch}); err != nil {
				return nil, nil, false, err
			}
			x, y = rowsOf(x, 0, k), rowsOf(y, 0, k)
		}
		t, err := train.NewTensorFeed(x, y, m.net, opt)
		if err != nil {
			return nil, nil, false, err
		}
		return t, val, false, nil
	}
	if split > 0 { // as the command line: the same share of every class
		tr, v, err := data.Split(src, split, data.SplitOptions{Seed: opt.Seed, Stratified: src.Spec().Classes > 0})
		if err != nil {
			return nil, nil, false, err
		}
		src = tr
		l, err := data.NewLoader(v, data.Options{BatchSize: train.EvalBatch})
		if err != nil {
			return nil, nil, false, err
		}
		if val, err = train.NewSourceFeed(l, m.net, c.objective, sample); err != nil {
			return nil, nil, false, err
		}
	}
	if spec != "" {
		o, err := augment.Parse(spec)
		if err != nil {
			return nil, nil, false, err
		}
		if src, err = o.Source(src, opt.Seed); err != nil {
			return nil, nil, false, err
		}
	}
	l, err := data.NewLoader(src, opt)
	if err != nil {
		return nil, nil, false, err
	}
	obj := c.objective
	soft = src.Spec().Targets != 0 && obj[0].Loss.Sparse()
	if soft {
		obj = append([]train.Objective{}, obj...)
		obj[0].Loss.Name = "categoricalCrossentropy"
		sample = append(append([]int{}, sample...), src.Spec().Targets)
	}
	sf, err := train.NewSourceFeed(l, m.net, obj, sample)
	if err != nil {
		return nil, nil, false, err
	}
	return sf, val, soft, nil
}

// pictures returns tensors as a source of pictures [C H W], which augmentation varies.
func (c *compiled) pictures(x, y []*tensor.Tensor, spec string) (data.Source, error) {
	if len(x) != 1 || !c.objective[0].Loss.Sparse() || x[0].Rank() != 4 {
		fail(codeArgument, "augment", "varies pictures with class numbers as labels")
	}
	sh := x[0].Shape()[1:]
	if c.model.layers != nil { // [H W C]
		if sh[2] != 1 {
			fail(tensor.CodeUnsupported, "augment", "of colour pictures is for models that take [C H W]")
		}
		sh = []int{1, sh[0], sh[1]}
	}
	classes, _ := c.target(0)
	f := x[0].Float64s()
	v := make([]float32, len(f))
	for i := range f {
		v[i] = float32(f[i])
	}
	return data.NewMemory(data.Spec{Shape: sh, Classes: classes}, v, y[0].Int64s(), nil)
}

// fitRun makes steps until the time is up.
func (s *Server) fitRun(a val) error {
	f := lookup[*fit](s, a.id("id"), "fit")
	more, limit := s.deadline(a), a.count("maxSteps", 0, 0)
	w := &s.w
	w.fields(5)
	w.key("events")
	at := w.open()
	f.events = 0
	made := 0
	emit := func(e *train.Event) {
		f.events++
		if e.Kind == train.EventBatch {
			made++
		}
		s.event(e)
	}
	for !f.over {
		done, err := f.fit.Next(emit)
		if err != nil {
			f.end(s)
			return err
		}
		if done {
			f.end(s)
			if err := f.c.settle(); err != nil {
				return err
			}
			break
		}
		if limit > 0 && made >= limit || !more() {
			break
		}
	}
	w.close(at, f.events)
	step, steps := f.fit.Steps()
	w.key("done")
	w.bool(f.over)
	w.key("step")
	w.int(step)
	w.key("steps")
	w.int(steps)
	w.key("epoch")
	w.int(f.fit.Epoch())
	return nil
}

// event writes what happened in a fit.
func (s *Server) event(e *train.Event) {
	w := &s.w
	switch e.Kind {
	case train.EventEpochBegin:
		w.fields(3)
		w.key("kind")
		w.str("epochBegin")
		w.key("epoch")
		w.int(e.Epoch)
		w.key("step")
		w.int(e.Step)
	case train.EventBatch:
		w.fields(8)
		w.key("kind")
		w.str("batch")
		w.key("epoch")
		w.int(e.Epoch)
		w.key("batch")
		w.int(e.Batch)
		w.key("step")
		w.int(e.Step)
		w.key("size")
		w.int(e.Size)
		w.key("loss")
		w.number(e.Loss)
		w.key("lr")
		w.number(e.LR)
		w.key("logs")
		s.logs(e.Logs)
	case train.EventEpoch:
		w.fields(4)
		w.key("kind")
		w.str("epoch")
		w.key("epoch")
		w.int(e.Epoch)
		w.key("step")
		w.int(e.Step)
		w.key("logs")
		s.logs(e.Logs)
	}
}

// fitFeed makes one step on a batch that comes with the call.
func (s *Server) fitFeed(a val) error {
	f := lookup[*fit](s, a.id("id"), "fit")
	if f.over {
		fail(codeState, "fit.feed", "the fit is over")
	}
	x := f.model.ready(f.model.inputs(s, a.get("x")))
	n := x[0].Shape()[0]
	if n == 0 {
		fail(codeArgument, "fit.feed", "the batch is empty")
	}
	y := f.c.targets(s, a.get("y"), n)
	f.batch.N, f.batch.X, f.batch.Y = n, x, y
	s.w.fields(1)
	s.w.key("events")
	at := s.w.open()
	f.events = 0
	err := f.fit.Feed(&f.batch, func(e *train.Event) {
		f.events++
		s.event(e)
	})
	s.w.close(at, f.events)
	if err != nil {
		return err
	}
	f.batch.X, f.batch.Y = nil, nil
	return nil
}

// fitEpochEnd ends an epoch of a fit that is fed, in slices.
func (s *Server) fitEpochEnd(a val) error {
	f := lookup[*fit](s, a.id("id"), "fit")
	if f.over {
		fail(codeState, "fit.epochEnd", "the fit is over")
	}
	more := s.deadline(a)
	s.w.fields(3)
	s.w.key("events")
	at := s.w.open()
	f.events = 0
	complete := false
	for {
		var err error
		complete, err = f.fit.EpochEnd(func(e *train.Event) {
			f.events++
			s.event(e)
		})
		if err != nil {
			return err
		}
		if complete || !more() {
			break
		}
	}
	s.w.close(at, f.events)
	if f.fit.Done() {
		f.end(s)
		if err := f.c.settle(); err != nil {
			return err
		}
	}
	s.w.key("complete")
	s.w.bool(complete)
	s.w.key("done")
	s.w.bool(f.over)
	return nil
}

func (s *Server) fitStop(a val) error {
	f := lookup[*fit](s, a.id("id"), "fit")
	f.end(s)
	s.w.fields(0)
	return nil
}

func (s *Server) fitCheckpoint(a val) error {
	f := lookup[*fit](s, a.id("id"), "fit")
	b, err := f.fit.Checkpoint(f.settings)
	if err != nil {
		return err
	}
	s.w.fields(1)
	s.w.key("bytes")
	s.w.bytes(b)
	return nil
}

// fitRestore brings a fit to the moment of a checkpoint.
func (s *Server) fitRestore(a val) error {
	f := lookup[*fit](s, a.id("id"), "fit")
	if f.over {
		fail(codeState, "fit.restore", "the fit is over")
	}
	cp, err := train.DecodeCheckpoint(a.array("bytes").Bytes())
	if err != nil {
		return asFormat(err)
	}
	if d := train.Differences(cp.Settings, f.settings); len(d) > 0 {
		fail(codeState, "fit.restore", "the checkpoint belongs to a run with other settings: ", join(d))
	}
	if err := f.fit.Restore(cp); err != nil {
		return err
	}
	step, _ := f.fit.Steps()
	w := &s.w
	w.fields(3)
	w.key("step")
	w.int(step)
	w.key("epoch")
	w.int(f.fit.Epoch())
	w.key("history")
	var names []string
	byName := map[string][]float64{}
	for _, logs := range f.fit.History() {
		for _, l := range logs {
			if byName[l.Name] == nil {
				names = append(names, l.Name)
			}
			byName[l.Name] = append(byName[l.Name], l.Value)
		}
	}
	w.fields(len(names))
	for _, n := range names {
		w.key(n)
		w.list(len(byName[n]))
		for _, v := range byName[n] {
			w.number(v)
		}
	}
	return nil
}
