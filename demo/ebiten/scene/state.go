package scene

import "github.com/weft-ml/weft/demo/ebiten/ui"

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
	Think    float64 `json:"think_ms"` // of the last answer
}

// State returns it.
func (a *App) State() State {
	s := a.opt.Trainer.Snapshot()
	focus, ring := a.UI.Focus()
	out := State{Scene: names[a.Scene], Theme: a.UI.Theme.Name, Width: a.UI.In.Size.X, Height: a.UI.In.Size.Y, Scale: a.UI.In.Scale, Focus: focus, Ring: ring,
		Pad: a.padAt, Strokes: a.pad.Strokes(), Trained: a.trained, Notice: a.notice, Training: s.State.String(), Epoch: s.Epoch, Step: s.Step, Steps: s.Steps,
		Points: len(s.Train), Tests: len(s.Test), Think: float64(a.budget.last.Microseconds()) / 1000}
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
