package train

import (
	"math"
	"strconv"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/loss"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/optim"
	"github.com/weft-ml/weft/core/tensor"
)

// Config says how a classifier is trained: [New] makes a [Setup] of it.
type Config struct {
	Name           string // of the exported graph
	Model          nn.Layer
	Spec           data.Spec // of the samples: their shape and classes, soft targets when Targets is not 0
	Seed           uint64    // of initial weights and dropout
	Optimizer      optim.Optimizer
	LearningRate   float64
	Schedule       optim.Schedule // nil: constant
	Steps          int            // of the whole run; schedules span it
	LabelSmoothing float32
	Update         optim.Options // clipping and weight averaging
}

// Setup says what is trained and how.
type Setup struct {
	Net          Network
	Objectives   []Objective // one per output
	Seed         uint64      // of initial weights and dropout
	Optimizer    optim.Optimizer
	LearningRate float64
	Schedule     optim.Schedule // nil: constant
	Steps        int            // of the whole run; schedules span it
	Update       optim.Options  // clipping and weight averaging
	// Store holds the variables, weights and optimizer state; those it lacks are added with their initial elements. nil: a new one.
	Store *graph.Store
	// Budget bounds the bytes of new weights; 0: no bound.
	Budget int64
}

// Trainer trains a network. It is to be used by one goroutine.
type Trainer struct {
	cfg   Setup
	rt    *compile.Runtime
	store *graph.Store
	train *compile.Program
	eval  *compile.Program // of infer, made when it is first needed
	infer *graph.Graph
	state *optim.State
	heads []trainHead
	spec  data.Spec // of the samples of a classifier made by New

	step    int // steps done, over all runs
	start   int // the step at which the run began
	scalars []float32
	in      []*tensor.Tensor // of the training program
	own     []*tensor.Tensor // inputs and targets that Step wraps
	evalIn  []*tensor.Tensor
	params  int
	res     StepResult

	History History
}

// trainHead says which outputs of the training program belong to an output of the network.
type trainHead struct {
	name           string
	obj            Objective
	loss, hits, at int   // -1: none
	of, mask       int   // the number of answers and the mask; -1: all count
	sample         []int // shape of one sample's targets, Unknown where it is not known
	columns        int
}

// output adds the head's output, and its mask if it has one, to the program's.
func (t *trainHead) output(g *graph.Graph, h *head) {
	t.at = len(g.Outputs)
	g.Output(h.out)
	if h.mask != nil {
		t.mask = len(g.Outputs)
		g.Output(h.mask)
	}
}

// New builds the programs of a classifier's run. The trainer's variables start at their initial elements.
func New(rt *compile.Runtime, cfg Config) (t *Trainer, err error) {
	defer tensor.Catch(&err)
	if cfg.Spec.Classes < 2 {
		return nil, tensor.Err("train", "a classifier needs two or more classes, the data has ", cfg.Spec.Classes)
	}
	net := cfg.network()
	apply := net.Apply
	net.Apply = func(c *nn.Context, in []*graph.Value) []*graph.Value {
		out := apply(c, in)
		if y := out[0]; len(y.Shape) != 2 || y.Shape[1] != cfg.Spec.Classes {
			panic(&tensor.Error{Op: "train", Msg: "the model must give logits [N, " + strconv.Itoa(cfg.Spec.Classes) + "], it gives", Shapes: [][]int{y.Shape}})
		}
		return out
	}
	l := loss.Spec{Name: loss.SparseCategorical, FromLogits: true, LabelSmoothing: float64(cfg.LabelSmoothing)}
	if cfg.Spec.Targets != 0 {
		l.Name = loss.Categorical
	}
	t, err = NewTrainer(rt, Setup{Net: net, Objectives: []Objective{{Loss: l, Metrics: []string{MetricAccuracy}}}, Seed: cfg.Seed, Optimizer: cfg.Optimizer, LearningRate: cfg.LearningRate,
		Schedule: cfg.Schedule, Steps: cfg.Steps, Update: cfg.Update})
	if err == nil {
		t.spec = cfg.Spec
	}
	return t, err
}

func (cfg *Config) network() Network { return Layered(cfg.Name, cfg.Model, cfg.Spec.Shape) }

// NewTrainer builds the training program of a network.
func NewTrainer(rt *compile.Runtime, cfg Setup) (t *Trainer, err error) {
	defer tensor.Catch(&err)
	if cfg.Schedule == nil {
		cfg.Schedule = optim.Constant{}
	}
	if !(cfg.LearningRate > 0) || math.IsInf(cfg.LearningRate, 0) {
		return nil, tensor.Err("train", "the learning rate must be a positive number, not ", cfg.LearningRate)
	}
	t = &Trainer{cfg: cfg, rt: rt, store: cfg.Store}
	if t.store == nil {
		t.store = graph.NewStore()
	}

	g := graph.New()
	x := cfg.Net.inputs(g)
	c := nn.NewContext(g, nn.Options{Training: true, Seed: cfg.Seed, Store: t.store, Budget: cfg.Budget})
	out := cfg.Net.Apply(c, x)
	hs, losses, total := cfg.Net.heads(c, out, cfg.Objectives)
	g.Output(total)
	for i := range hs {
		h := &hs[i]
		shape := h.target.Shape[1:]
		th := trainHead{name: h.name, obj: h.Objective, loss: -1, hits: -1, of: -1, at: -1, mask: -1, sample: shape, columns: max(h.out.Shape[len(h.out.Shape)-1], 1)}
		if len(hs) > 1 {
			th.loss = len(g.Outputs)
			g.Output(losses[i])
		}
		m, err := NewMeasures(h.Metrics, h.Loss, th.columns)
		if err != nil {
			return nil, err
		}
		if m.has(MetricAccuracy) {
			right, of := h.hits()
			th.hits = len(g.Outputs)
			g.Output(right)
			if of != nil {
				th.of = len(g.Outputs)
				g.Output(of)
			}
		}
		if m.host() {
			th.output(g, h)
		}
		t.heads = append(t.heads, th)
	}
	params := g.TrainableVars()
	if len(params) == 0 {
		return nil, tensor.Err("train", "the model has no trainable variables")
	}
	for _, v := range params {
		t.params += tensor.Size(v.Shape)
	}
	t.state = optim.Minimize(total, cfg.Optimizer, cfg.Update)
	if err := t.store.Init(g); err != nil {
		return nil, err
	}
	if t.train, err = compile.Compile(rt, g, t.store, compile.Options{}); err != nil {
		return nil, err
	}
	for _, v := range g.Vars {
		v.Init = nil // the store has it
	}
	t.scalars = make([]float32, t.state.Inputs())
	n := len(x) + len(hs)
	t.in = make([]*tensor.Tensor, n, n+len(t.scalars))
	for i := range t.scalars {
		t.in = append(t.in, tensor.From(t.scalars[i:i+1]))
	}
	t.own = make([]*tensor.Tensor, n)
	t.evalIn = make([]*tensor.Tensor, 1)
	t.res.Correct, t.res.Answers = make([]int, len(hs)), make([]int, len(hs))
	t.res.Losses = make([]float32, len(hs))
	t.res.Outputs, t.res.Masks = make([]*tensor.Tensor, len(hs)), make([]*tensor.Tensor, len(hs))
	return t, nil
}

// batched puts the symbolic batch dimension N before a sample's shape.
func batched(g *graph.Graph, shape []int) []int { return append([]int{g.Symbol("N")}, shape...) }

// InferenceGraph returns the graph that predicts: input "input" [N, shape...], output "logits" [N, classes].
// It panics with *tensor.Error when the model does not fit the samples.
func InferenceGraph(cfg Config) *graph.Graph {
	n := cfg.network()
	return n.Inference(nn.Options{Seed: cfg.Seed})
}

// inference makes the program that predicts.
func (t *Trainer) inference() (err error) {
	defer tensor.Catch(&err)
	if t.eval != nil {
		return nil
	}
	g := t.graph()
	if err := t.store.Init(g); err != nil {
		return err
	}
	t.eval, err = compile.Compile(t.rt, g, t.store, compile.Options{})
	return err
}

func (t *Trainer) graph() *graph.Graph {
	if t.infer == nil {
		t.infer = t.cfg.Net.Inference(nn.Options{Seed: t.cfg.Seed, Store: t.store})
	}
	return t.infer
}

// Parameters returns the number of trainable elements.
func (t *Trainer) Parameters() int { return t.params }

// StepsDone returns how many steps have been made.
func (t *Trainer) StepsDone() int { return t.step }

// RunSteps returns how many steps of the current run have been made, and how many it has.
func (t *Trainer) RunSteps() (done, steps int) { return t.step - t.start, t.cfg.Steps }

// Begin starts another run of so many steps: the schedule begins anew, the optimizer's state and step count go on. A nil schedule
// keeps the one there is.
func (t *Trainer) Begin(s optim.Schedule, steps int) {
	if s != nil {
		t.cfg.Schedule = s
	}
	t.start, t.cfg.Steps = t.step, steps
}

// Continue sets the number of steps made before this trainer, over the same store, took over.
func (t *Trainer) Continue(step int) { t.step, t.start = step, step }

// Store returns the variables.
func (t *Trainer) Store() *graph.Store { return t.store }

// LearningRate returns the rate of the next step.
func (t *Trainer) LearningRate() float64 {
	return t.cfg.LearningRate * t.cfg.Schedule.Factor(t.step-t.start, t.cfg.Steps)
}

// SetLearningRate sets the rate that the schedule multiplies.
func (t *Trainer) SetLearningRate(lr float64) { t.cfg.LearningRate = lr }

// StepResult is what one step measured, before its update. It is overwritten by the next.
type StepResult struct {
	Loss    float32          // the total
	Losses  []float32        // by output, where there are several
	Correct []int            // by output: right answers, where accuracy is asked for
	Answers []int            // by output: how many answers there were that count
	Outputs []*tensor.Tensor // by output, where a metric needs them; else nil
	Masks   []*tensor.Tensor // by output: which positions of Outputs count, bool; nil: all
}

// StepOn trains on one batch: the network's inputs and the targets of its outputs, of the types and shapes that the network and its
// losses take. It returns an error when the loss is no number; the weights are then of no use any more.
func (t *Trainer) StepOn(x, y []*tensor.Tensor) (*StepResult, error) {
	if len(x)+len(y) != len(t.own) {
		return nil, tensor.Err("train", "the network takes ", len(t.cfg.Net.Inputs), " inputs and ", len(t.heads), " targets, got ", len(x), " and ", len(y))
	}
	t.state.Fill(t.scalars, t.step, t.LearningRate())
	copy(t.in[copy(t.in, x):], y)
	out, err := t.train.RunWith(t.in, t.runOptions())
	if err != nil {
		return nil, err
	}
	r := &t.res
	r.Loss = out[0].Float32s()[0]
	if v := float64(r.Loss); math.IsNaN(v) || math.IsInf(v, 0) {
		return r, tensor.Err("train", "the loss is ", v, " at step ", t.step+1, " with learning rate ", t.LearningRate(),
			"; lower the learning rate, clip the gradients, or look for extreme values in the data").With(tensor.CodeNaN)
	}
	for i := range t.heads {
		h := &t.heads[i]
		r.Losses[i], r.Correct[i], r.Answers[i], r.Outputs[i], r.Masks[i] = r.Loss, 0, h.answers(y[i]), nil, nil
		if h.loss >= 0 {
			r.Losses[i] = out[h.loss].Float32s()[0]
		}
		if h.hits >= 0 {
			r.Correct[i] = int(out[h.hits].Int64s()[0])
		}
		if h.of >= 0 {
			r.Answers[i] = int(out[h.of].Int64s()[0])
		}
		if h.at >= 0 {
			r.Outputs[i] = out[h.at]
		}
		if h.mask >= 0 {
			r.Masks[i] = out[h.mask]
		}
	}
	t.step++
	return r, nil
}

// answers returns how many answers there are to targets: one a row for classes, else one a number.
func (h *trainHead) answers(y *tensor.Tensor) int {
	if !h.obj.Loss.Sparse() && h.columns > 1 && h.obj.Loss.Name != loss.Binary {
		return y.Len() / h.columns
	}
	return y.Len()
}

// StepLogs appends what a step measured by name.
func (t *Trainer) StepLogs(dst []Log, r *StepResult, y []*tensor.Tensor) []Log {
	dst = append(dst, Log{"loss", float64(r.Loss)})
	for i := range t.heads {
		h := &t.heads[i]
		acc := MetricAccuracy
		if len(t.heads) > 1 {
			dst = append(dst, Log{h.name + "Loss", float64(r.Losses[i])})
			acc = h.name + title(acc)
		}
		if h.hits >= 0 {
			dst = append(dst, Log{acc, float64(r.Correct[i]) / float64(max(r.Answers[i], 1))})
		}
	}
	return dst
}

// Step trains a classifier on one batch and returns its mean loss, before the update, and how many samples were classified right. It
// returns an error when the loss is no number; the weights are then of no use any more.
func (t *Trainer) Step(b *data.Batch) (meanLoss float32, correct int, err error) {
	t.prepare(b)
	r, err := t.StepOn(t.own[:1], t.own[1:])
	if err != nil {
		if r != nil {
			return r.Loss, 0, err
		}
		return 0, 0, err
	}
	t.History.add(t.step, float64(r.Loss), r.Correct[0], b.N)
	return r.Loss, r.Correct[0], nil
}

// StepBatch is StepOn for a feed's batch. It adds to the history, and returns the loss, how many answers of the network's first output were right, where
// accuracy is asked for, and how many there were.
func (t *Trainer) StepBatch(b *Batch) (loss float32, correct, answers int, err error) {
	r, err := t.StepOn(b.X, b.Y)
	if err != nil {
		if r != nil {
			loss = r.Loss
		}
		return loss, 0, 0, err
	}
	answers = r.Answers[0]
	t.History.add(t.step, float64(r.Loss), r.Correct[0], answers)
	return r.Loss, r.Correct[0], answers, nil
}

// prepare wraps a classifier's batch.
func (t *Trainer) prepare(b *data.Batch) {
	t.own[0] = reuse(t.own[0], b.X, b.N, t.spec.Shape)
	if t.spec.Targets != 0 {
		t.own[1] = reuse(t.own[1], b.Targets, b.N, []int{t.spec.Targets})
	} else {
		t.own[1] = reuse(t.own[1], b.Labels, b.N, nil)
	}
}

func (t *Trainer) runOptions() compile.RunOptions {
	return compile.RunOptions{Rand: graph.RandState{Seed: t.cfg.Seed, Step: uint64(t.step)}}
}

// reuse wraps a batch's slice in a tensor, keeping the one of the batch before when the memory is the same.
func reuse[T tensor.Elem](old *tensor.Tensor, x []T, n int, shape []int) *tensor.Tensor {
	if old != nil && old.Rank() == len(shape)+1 && old.Shape()[0] == n && len(x) > 0 {
		if d := tensor.Data[T](old); len(d) == len(x) && &d[0] == &x[0] {
			return old
		}
	}
	return tensor.From(x, append([]int{n}, shape...)...)
}

// Logits returns a classifier's outputs [n, classes] for n samples; the slice is valid until the trainer's next run.
func (t *Trainer) Logits(x []float32, n int) ([]float32, error) {
	if err := t.inference(); err != nil {
		return nil, err
	}
	t.evalIn[0] = reuse(t.evalIn[0], x, n, t.spec.Shape)
	out, err := t.eval.Run(t.evalIn...)
	if err != nil {
		return nil, err
	}
	return out[0].Float32s(), nil
}

// Export returns the inference graph and a copy of its variables, see [Trainer.Weights].
func (t *Trainer) Export() (_ *graph.Graph, _ *graph.Store, err error) {
	defer tensor.Catch(&err)
	s, err := t.Weights(t.graph())
	return t.infer, s, err
}

// Weights returns a copy of what the trainer has for the variables of a graph, by their names: the trained weights, or their moving averages
// when the run keeps them.
func (t *Trainer) Weights(g *graph.Graph) (*graph.Store, error) {
	s := graph.NewStore()
	for _, v := range g.Vars {
		src := t.store.Get(v.Name)
		if ema := t.store.Get(v.Name + optim.EMASuffix); ema != nil && v.Trainable {
			src = ema
		}
		if src == nil { // a variable that only inference reads
			src = v.Init
		}
		if err := s.Set(v.Name, src); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Programs returns the training and the evaluation program, for profiles and listings; nil when the model cannot be compiled.
func (t *Trainer) Programs() (train, eval *compile.Program) {
	if t.inference() != nil {
		return t.train, nil
	}
	return t.train, t.eval
}

// Close gives the programs' memory back to the runtime; a store that Setup named stays. The trainer cannot be used afterwards.
func (t *Trainer) Close() {
	t.train.Close()
	if t.eval != nil {
		t.eval.Close()
	}
}
