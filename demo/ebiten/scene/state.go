package scene

import (
	"slices"
	"time"

	"github.com/weft-ml/weft/demo/ebiten/ui"
)

// State is what the window shows, for tests and for those who want to follow it.
type State struct {
	Scene    string  `json:"scene"`
	Theme    string  `json:"theme"`
	Width    float64 `json:"width"` // of the window, in units of layout
	Height   float64 `json:"height"`
	Scale    float64 `json:"scale"` // pixels of a unit
	Focus    string  `json:"focus"`
	Ring     bool    `json:"ring"` // whether the focus is to be seen
	Pad      ui.Rect `json:"pad"`  // where it lies, in units of layout
	Strokes  int     `json:"strokes"`
	Answer   *int    `json:"answer"` // nil without one
	Sure     float64 `json:"sure"`
	Layers   int     `json:"layers"`  // shown with the maps of the ink
	Trained  bool    `json:"trained"` // the trained weights answer
	Notice   string  `json:"notice"`
	Training string  `json:"training"`
	Epoch    int     `json:"epoch"`
	Step     int     `json:"step"`
	Steps    int     `json:"steps"`
	Points   int     `json:"points"`   // of the training curve
	Loss     float64 `json:"loss"`     // of the last of them
	Tests    int     `json:"tests"`    // epochs that were measured
	Accuracy float64 `json:"accuracy"` // of the last of them
	Data     string  `json:"data"`     // that the next run trains on, or this one does
	Reading  bool    `json:"reading"`  // files that the user brought are being read
	Answers  uint64  `json:"answers"`  // that were made
	Think    float64 `json:"think_ms"` // of the last one
	Update   Times   `json:"update"`   // of this scene
}

// Times are how long a frame's Update took, all that it computes and lays out, without drawing: over the last 256 frames of a scene in
// which there was something to do, in milliseconds.
type Times struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	P95    float64 `json:"p95"`
	Max    float64 `json:"max"`
	Frames int     `json:"frames"` // all that there were
}

// times gathers them.
type times struct {
	last [256]time.Duration
	n    int
}

// Took notes how long the Update of this frame took.
func (a *App) Took(d time.Duration) {
	if a.idle {
		return
	}
	t := &a.times[a.Scene]
	t.last[t.n%len(t.last)] = d
	t.n++
}

func (t *times) sum() Times {
	n := min(t.n, len(t.last))
	if n == 0 {
		return Times{}
	}
	v := t.last
	slices.Sort(v[:n])
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return Times{Min: ms(v[0]), Median: ms(v[n/2]), P95: ms(v[n*95/100]), Max: ms(v[n-1]), Frames: t.n}
}

// State returns it.
func (a *App) State() State {
	s := a.snap
	focus, ring := a.UI.Focus()
	out := State{Scene: names[a.Scene], Theme: a.UI.Theme.Name, Width: a.UI.In.Size.X, Height: a.UI.In.Size.Y, Scale: a.UI.In.Scale, Focus: focus, Ring: ring,
		Pad: a.padAt, Strokes: a.pad.Strokes(), Trained: a.trained, Notice: a.notice, Training: s.State.String(), Epoch: s.Epoch, Step: s.Step, Steps: s.Steps,
		Points: len(s.Train), Tests: len(s.Test), Think: float64(a.budget.last.Microseconds()) / 1000}
	out.Answers = a.thoughts
	out.Update = a.times[a.Scene].sum()
	out.Data, out.Reading = a.dataNames()[a.train.data], a.opt.Trainer.Given().Reading
	if a.answer.There {
		d := a.answer.Digit
		out.Answer, out.Sure = &d, a.answer.Probabilities[d]
	}
	if a.inside && a.Scene == Inside {
		out.Layers = len(a.layers)
	}
	if n := len(s.Train); n > 0 {
		out.Loss = s.Train[n-1].Loss
	}
	if n := len(s.Test); n > 0 {
		out.Accuracy = s.Test[n-1].Accuracy
	}
	return out
}
