package train

import (
	"math"
	"strconv"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/loss"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/optim"
	"github.com/weft-ml/weft/core/tensor"
)

// Config says what is trained and how.
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

// Trainer trains a classifier. It is to be used by one goroutine.
type Trainer struct {
	cfg   Config
	rt    *compile.Runtime
	store *graph.Store
	train *compile.Program
	eval  *compile.Program
	infer *graph.Graph
	state *optim.State

	step    int // steps done
	scalars []float32
	in      []*tensor.Tensor // of the training program
	evalIn  []*tensor.Tensor
	params  int

	History History
}

// New builds the programs of a run. The trainer's variables start at their initial elements.
func New(rt *compile.Runtime, cfg Config) (t *Trainer, err error) {
	defer tensor.Catch(&err)
	if cfg.Schedule == nil {
		cfg.Schedule = optim.Constant{}
	}
	if cfg.Spec.Classes < 2 {
		return nil, tensor.Err("train", "a classifier needs two or more classes, the data has ", cfg.Spec.Classes)
	}
	if !(cfg.LearningRate > 0) || math.IsInf(cfg.LearningRate, 0) {
		return nil, tensor.Err("train", "the learning rate must be a positive number, not ", cfg.LearningRate)
	}
	t = &Trainer{cfg: cfg, rt: rt, store: graph.NewStore()}

	g := graph.New()
	x := g.Input("x", tensor.Float32, batched(g, cfg.Spec.Shape)...)
	soft := cfg.Spec.Targets != 0
	var labels *graph.Value
	if soft {
		labels = g.Input("labels", tensor.Float32, g.Symbol("N"), cfg.Spec.Targets)
	} else {
		labels = g.Input("labels", tensor.Int64, g.Symbol("N"))
	}
	c := nn.NewContext(g, nn.Options{Training: true, Seed: cfg.Seed})
	logits := cfg.Model.Apply(c, x)
	if len(logits.Shape) != 2 || logits.Shape[1] != cfg.Spec.Classes {
		return nil, &tensor.Error{Op: "train", Msg: "the model must give logits [N, " + strconv.Itoa(cfg.Spec.Classes) + "], it gives", Shapes: [][]int{logits.Shape}}
	}
	l := loss.CrossEntropy(logits, labels, loss.CrossEntropyOptions{LabelSmoothing: cfg.LabelSmoothing})
	want := labels
	if soft {
		want = op.ArgMax(labels, 1, false)
	}
	hit := op.Cast(op.Equal(op.ArgMax(logits, 1, false), want), tensor.Int64)
	g.Output(l)
	g.Output(op.ReduceSum(hit, nil, false))
	for _, v := range g.TrainableVars() {
		t.params += tensor.Size(v.Shape)
	}
	t.state = optim.Minimize(l, cfg.Optimizer, cfg.Update)
	if err := t.store.Init(g); err != nil {
		return nil, err
	}

	t.infer = InferenceGraph(cfg)
	if err := t.store.Init(t.infer); err != nil {
		return nil, err
	}
	if t.train, err = compile.Compile(rt, g, t.store, compile.Options{}); err != nil {
		return nil, err
	}
	if t.eval, err = compile.Compile(rt, t.infer, t.store, compile.Options{}); err != nil {
		return nil, err
	}
	t.scalars = make([]float32, t.state.Inputs())
	t.in = make([]*tensor.Tensor, 2, 2+len(t.scalars))
	for i := range t.scalars {
		t.in = append(t.in, tensor.From(t.scalars[i:i+1]))
	}
	t.evalIn = make([]*tensor.Tensor, 1)
	return t, nil
}

// batched puts the symbolic batch dimension N before a sample's shape.
func batched(g *graph.Graph, shape []int) []int { return append([]int{g.Symbol("N")}, shape...) }

// InferenceGraph returns the graph that predicts: input "input" [N, shape...], output "logits" [N, classes].
// It panics with *tensor.Error when the model does not fit the samples.
func InferenceGraph(cfg Config) *graph.Graph {
	g := graph.New()
	g.Name = cfg.Name
	c := nn.NewContext(g, nn.Options{Seed: cfg.Seed})
	logits := cfg.Model.Apply(c, g.Input("input", tensor.Float32, batched(g, cfg.Spec.Shape)...))
	logits.Name = "logits"
	g.Output(logits)
	return g
}

// Parameters returns the number of trainable elements.
func (t *Trainer) Parameters() int { return t.params }

// StepsDone returns how many steps have been made.
func (t *Trainer) StepsDone() int { return t.step }

// Store returns the variables.
func (t *Trainer) Store() *graph.Store { return t.store }

// LearningRate returns the rate of the next step.
func (t *Trainer) LearningRate() float64 {
	return t.cfg.LearningRate * t.cfg.Schedule.Factor(t.step, t.cfg.Steps)
}

// Step trains on one batch and returns its mean loss, before the update, and how many samples were classified right. It
// returns an error when the loss is no number; the weights are then of no use any more.
func (t *Trainer) Step(b *data.Batch) (meanLoss float32, correct int, err error) {
	t.prepare(b)
	out, err := t.train.RunWith(t.in, t.runOptions())
	if err != nil {
		return 0, 0, err
	}
	meanLoss, correct = out[0].Float32s()[0], int(out[1].Int64s()[0])
	if v := float64(meanLoss); math.IsNaN(v) || math.IsInf(v, 0) {
		return meanLoss, correct, tensor.Err("train", "the loss is ", v, " at step ", t.step+1, " with learning rate ", t.LearningRate(),
			"; lower the learning rate, clip the gradients, or look for extreme values in the data")
	}
	t.step++
	t.History.add(t.step, float64(meanLoss), correct, b.N)
	return meanLoss, correct, nil
}

// prepare sets the training program's inputs for the next step.
func (t *Trainer) prepare(b *data.Batch) {
	t.state.Fill(t.scalars, t.step, t.LearningRate())
	t.in[0] = reuse(t.in[0], b.X, b.N, t.cfg.Spec.Shape)
	if t.cfg.Spec.Targets != 0 {
		t.in[1] = reuse(t.in[1], b.Targets, b.N, []int{t.cfg.Spec.Targets})
	} else {
		t.in[1] = reuse(t.in[1], b.Labels, b.N, nil)
	}
}

func (t *Trainer) runOptions() compile.RunOptions {
	return compile.RunOptions{Rand: graph.RandState{Seed: t.cfg.Seed, Step: uint64(t.step)}}
}

// ProfileStep changes the weights as Step does, but counts no step, and returns the training program's steps and how long each took.
func (t *Trainer) ProfileStep(b *data.Batch) ([]compile.StepInfo, []compile.Timing, error) {
	t.prepare(b)
	_, times, err := t.train.Profile(t.in, t.runOptions())
	return t.train.Steps(), times, err
}

// ProfileLogits is Logits with the evaluation program's steps and how long each took in place of the outputs.
func (t *Trainer) ProfileLogits(x []float32, n int) ([]compile.StepInfo, []compile.Timing, error) {
	t.evalIn[0] = reuse(t.evalIn[0], x, n, t.cfg.Spec.Shape)
	_, times, err := t.eval.Profile(t.evalIn, compile.RunOptions{})
	return t.eval.Steps(), times, err
}

// reuse wraps a batch's slice in a tensor, keeping the one of the batch before when the memory is the same.
func reuse[T tensor.Elem](old *tensor.Tensor, x []T, n int, shape []int) *tensor.Tensor {
	if old != nil && old.Shape()[0] == n && len(x) > 0 {
		if d := tensor.Data[T](old); len(d) == len(x) && &d[0] == &x[0] {
			return old
		}
	}
	return tensor.From(x, append([]int{n}, shape...)...)
}

// Logits returns the model's outputs [n, classes] for n samples; the slice is valid until the trainer's next run.
func (t *Trainer) Logits(x []float32, n int) ([]float32, error) {
	t.evalIn[0] = reuse(t.evalIn[0], x, n, t.cfg.Spec.Shape)
	out, err := t.eval.Run(t.evalIn...)
	if err != nil {
		return nil, err
	}
	return out[0].Float32s(), nil
}

// Export returns the inference graph and a copy of its variables: the trained weights, or their moving averages when
// the run keeps them.
func (t *Trainer) Export() (*graph.Graph, *graph.Store, error) {
	s := graph.NewStore()
	for _, v := range t.infer.Vars {
		src := t.store.Get(v.Name)
		if ema := t.store.Get(v.Name + optim.EMASuffix); ema != nil && v.Trainable {
			src = ema
		}
		if err := s.Set(v.Name, src); err != nil {
			return nil, nil, err
		}
	}
	return t.infer, s, nil
}

// Programs returns the training and the evaluation program, for profiles and listings.
func (t *Trainer) Programs() (train, eval *compile.Program) { return t.train, t.eval }

// Close gives the programs' memory back to the runtime. The trainer cannot be used afterwards.
func (t *Trainer) Close() {
	t.train.Close()
	t.eval.Close()
}
