package optim

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/weft-ml/weft/core/internal/detmath"
	"github.com/weft-ml/weft/core/tensor"
)

// Schedule says by what factor the learning rate is multiplied at a step (counted from 0) of a run
// of the given number of steps. It is a pure function, so a run resumes anywhere, and uses only arithmetic
// with the same bits on every target.
type Schedule interface {
	Factor(step, steps int) float64
	// String returns the specification that ParseSchedule reads back.
	String() string
}

// Constant keeps the learning rate.
type Constant struct{}

// Factor returns 1.
func (Constant) Factor(step, steps int) float64 { return 1 }

// String returns "constant".
func (Constant) String() string { return "constant" }

// Step multiplies the rate by Gamma every Every steps.
type Step struct {
	Every int
	Gamma float64
}

// Factor returns Gamma^floor(step/Every).
func (s Step) Factor(step, _ int) float64 {
	f := 1.0
	for range step / max(s.Every, 1) {
		if f *= s.Gamma; f == 0 || math.IsInf(f, 0) {
			break
		}
	}
	return f
}

// String returns the specification.
func (s Step) String() string {
	return "step:every=" + strconv.Itoa(s.Every) + ":gamma=" + num(s.Gamma)
}

// Exponential multiplies the rate by Gamma every step.
type Exponential struct{ Gamma float64 }

// Factor returns Gamma^step.
func (s Exponential) Factor(step, _ int) float64 {
	return detmath.Exp(float64(step) * detmath.Log(s.Gamma))
}

// String returns the specification.
func (s Exponential) String() string { return "exponential:gamma=" + num(s.Gamma) }

// Cosine falls from 1 to Floor along half a cosine over the run (Loshchilov, Hutter, "SGDR", ICLR 2017, without restarts).
type Cosine struct{ Floor float64 }

// Factor returns Floor + (1-Floor)(1+cos(pi step/steps))/2.
func (s Cosine) Factor(step, steps int) float64 {
	_, c := detmath.SinCosTurns(0.5 * min(float64(step)/float64(max(steps, 1)), 1))
	return s.Floor + float64((1-s.Floor)*float64(0.5*(1+c)))
}

// String returns the specification.
func (s Cosine) String() string {
	if s.Floor != 0 {
		return "cosine:floor=" + num(s.Floor)
	}
	return "cosine"
}

// Linear falls from 1 to Floor in a straight line over the run.
type Linear struct{ Floor float64 }

// Factor returns 1 - (1-Floor) step/steps.
func (s Linear) Factor(step, steps int) float64 {
	return 1 - float64((1-s.Floor)*min(float64(step)/float64(max(steps, 1)), 1))
}

// String returns the specification.
func (s Linear) String() string {
	if s.Floor != 0 {
		return "linear:floor=" + num(s.Floor)
	}
	return "linear"
}

// Warmup rises in a straight line over its first Steps steps and then follows Then over the rest.
type Warmup struct {
	Steps int
	Then  Schedule
}

// Factor returns (step+1)/Steps while warming up.
func (s Warmup) Factor(step, steps int) float64 {
	if step < s.Steps {
		return float64(step+1) / float64(s.Steps)
	}
	return s.Then.Factor(step-s.Steps, max(steps-s.Steps, 1))
}

// String returns the specification.
func (s Warmup) String() string {
	return "warmup:steps=" + strconv.Itoa(s.Steps) + "," + s.Then.String()
}

// OneCycle rises from Start to 1 over the first Rise of the run and falls to End over the rest, both along
// half a cosine (Smith, Topin, "Super-convergence", 2018; the learning-rate part).
type OneCycle struct{ Start, End, Rise float64 }

// Factor follows the two halves.
func (s OneCycle) Factor(step, steps int) float64 {
	x := min(float64(step)/float64(max(steps, 1)), 1)
	if x < s.Rise {
		return halfCosine(s.Start, 1, x/s.Rise)
	}
	return halfCosine(1, s.End, (x-s.Rise)/max(1-s.Rise, 1e-9))
}

// String returns the specification.
func (s OneCycle) String() string {
	return "onecycle:start=" + num(s.Start) + ":end=" + num(s.End) + ":rise=" + num(s.Rise)
}

// halfCosine goes from a at x = 0 to b at x = 1.
func halfCosine(a, b, x float64) float64 {
	_, c := detmath.SinCosTurns(0.5 * x)
	return b + float64((a-b)*float64(0.5*(1+c)))
}

func num(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// scheduleForms lists what ParseSchedule knows: name, and its parameters with their defaults.
var scheduleForms = []struct {
	name   string
	params string
}{
	{"constant", ""}, {"step", "every,gamma"}, {"exponential", "gamma"}, {"cosine", "floor"}, {"linear", "floor"},
	{"warmup", "steps"}, {"onecycle", "start,end,rise"},
}

// ParseSchedule reads a specification: a name with optional parameters after colons, such as
// "cosine", "step:every=1000:gamma=0.5", "exponential:gamma=0.999", "linear:floor=0.01", "onecycle:rise=0.3", or a warm-up before
// another: "warmup:steps=500,cosine".
func ParseSchedule(spec string) (Schedule, error) {
	head, rest, chained := strings.Cut(spec, ",")
	parts := strings.Split(head, ":")
	name := strings.TrimSpace(parts[0])
	var known []string
	for _, f := range scheduleForms {
		if f.name == name {
			known = strings.Split(f.params, ",")
		}
	}
	if known == nil {
		names := make([]string, len(scheduleForms))
		for i, f := range scheduleForms {
			names[i] = f.name
		}
		return nil, tensor.Err("schedule", strconv.Quote(name), " is not one of ", strings.Join(names, ", "))
	}
	p := map[string]float64{}
	for _, kv := range parts[1:] {
		k, v, ok := strings.Cut(kv, "=")
		x, err := strconv.ParseFloat(v, 64)
		if !ok || err != nil || !(x >= 0) || math.IsInf(x, 0) || !slices.Contains(known, k) {
			return nil, tensor.Err("schedule", strconv.Quote(name), " has no parameter ", strconv.Quote(kv), "; it takes ", strings.Join(known, ", "), " as name=number")
		}
		p[k] = x
	}
	get := func(k string, def float64) float64 {
		if v, ok := p[k]; ok {
			return v
		}
		return def
	}
	if chained && name != "warmup" {
		return nil, tensor.Err("schedule", "only warmup can be followed by another schedule, not ", strconv.Quote(name))
	}
	switch name {
	case "step":
		s := Step{Every: int(get("every", 1000)), Gamma: get("gamma", 0.5)}
		if s.Every < 1 {
			return nil, tensor.Err("schedule", "step needs every >= 1")
		}
		return s, nil
	case "exponential":
		s := Exponential{Gamma: get("gamma", 0.999)}
		if s.Gamma <= 0 {
			return nil, tensor.Err("schedule", "exponential needs gamma > 0")
		}
		return s, nil
	case "cosine":
		return Cosine{Floor: get("floor", 0)}, nil
	case "linear":
		return Linear{Floor: get("floor", 0)}, nil
	case "onecycle":
		s := OneCycle{Start: get("start", 0.04), End: get("end", 0.0001), Rise: get("rise", 0.3)}
		if s.Rise >= 1 {
			return nil, tensor.Err("schedule", "onecycle needs rise < 1, the part of the run that rises")
		}
		return s, nil
	case "warmup":
		s := Warmup{Steps: int(get("steps", 500)), Then: Constant{}}
		if s.Steps < 1 {
			return nil, tensor.Err("schedule", "warmup needs steps >= 1")
		}
		if chained {
			then, err := ParseSchedule(rest)
			if err != nil {
				return nil, err
			}
			s.Then = then
		}
		return s, nil
	}
	return Constant{}, nil
}
