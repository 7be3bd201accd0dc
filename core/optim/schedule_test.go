package optim_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/weft-ml/weft/core/optim"
)

func TestScheduleValues(t *testing.T) {
	half := func(x float64) float64 { return (1 + math.Cos(math.Pi*x)) / 2 }
	for _, c := range []struct {
		s     optim.Schedule
		steps int
		want  map[int]float64
	}{
		{optim.Constant{}, 10, map[int]float64{0: 1, 9: 1}},
		{optim.Step{Every: 3, Gamma: 0.5}, 10, map[int]float64{0: 1, 2: 1, 3: 0.5, 8: 0.25, 9: 0.125}},
		{optim.Step{Every: 1, Gamma: 0}, 10, map[int]float64{0: 1, 5: 0}},
		{optim.Exponential{Gamma: 0.9}, 10, map[int]float64{0: 1, 1: 0.9, 9: math.Pow(0.9, 9)}},
		{optim.Cosine{}, 100, map[int]float64{0: 1, 25: half(0.25), 50: 0.5, 99: half(0.99), 100: 0, 120: 0}},
		{optim.Cosine{Floor: 0.2}, 100, map[int]float64{0: 1, 50: 0.6, 100: 0.2}},
		{optim.Linear{}, 10, map[int]float64{0: 1, 5: 0.5, 10: 0, 11: 0}},
		{optim.Linear{Floor: 0.5}, 10, map[int]float64{0: 1, 5: 0.75, 10: 0.5}},
		{optim.Warmup{Steps: 4, Then: optim.Linear{}}, 14, map[int]float64{0: 0.25, 3: 1, 4: 1, 9: 0.5, 14: 0}},
		{optim.Warmup{Steps: 4, Then: optim.Constant{}}, 2, map[int]float64{0: 0.25, 1: 0.5}},
		{optim.OneCycle{Start: 0.1, End: 0.01, Rise: 0.25}, 100, map[int]float64{0: 0.1, 25: 1, 100: 0.01, 10: 1 - 0.9*half(0.4), 85: 0.01 + 0.99*half(0.8)}},
		{optim.OneCycle{Start: 0.1, End: 0, Rise: 0}, 10, map[int]float64{0: 1, 10: 0}},
	} {
		for step, want := range c.want {
			if got := c.s.Factor(step, c.steps); math.Abs(got-want) > 1e-12 {
				t.Errorf("%s: factor at step %d of %d is %v, want %v", c.s, step, c.steps, got, want)
			}
		}
		if f := c.s.Factor(0, 0); math.IsNaN(f) || math.IsInf(f, 0) {
			t.Errorf("%s: a run of no steps has the factor %v", c.s, f)
		}
		back, err := optim.ParseSchedule(c.s.String())
		if err != nil || back.String() != c.s.String() {
			t.Errorf("%s is read back as %v, %v", c.s, back, err)
		}
	}
}

func TestParseSchedule(t *testing.T) {
	for spec, want := range map[string]string{
		"constant": "constant", "cosine": "cosine", "cosine:floor=0.1": "cosine:floor=0.1", "step": "step:every=1000:gamma=0.5",
		"step:every=10:gamma=0.1": "step:every=10:gamma=0.1", "exponential": "exponential:gamma=0.999", "warmup:steps=10,cosine": "warmup:steps=10,cosine",
		"warmup": "warmup:steps=500,constant", "warmup:steps=2,warmup:steps=3,linear": "warmup:steps=2,warmup:steps=3,linear",
		"onecycle:rise=0.2": "onecycle:start=0.04:end=0.0001:rise=0.2", "linear:floor=1e-3": "linear:floor=0.001",
	} {
		if s, err := optim.ParseSchedule(spec); err != nil || s.String() != want {
			t.Errorf("%q gives %v, %v; want %s", spec, s, err, want)
		}
	}
	for _, spec := range []string{"", "sine", "cosine:", "cosine:floor", "cosine:floor=x", "cosine:floor=-1", "cosine:floor=NaN", "cosine:floor=Inf", "cosine:gamma=1",
		"step:every=0", "step:every=0.5", "exponential:gamma=0", "warmup:steps=0", "warmup:steps=3,sine", "cosine,linear", "onecycle:rise=1", "constant:x=1"} {
		if s, err := optim.ParseSchedule(spec); err == nil {
			t.Errorf("%q is taken as %s", spec, s)
		}
	}
}

func FuzzParseSchedule(f *testing.F) {
	for _, s := range []string{"cosine", "step:every=10:gamma=0.1", "warmup:steps=3,onecycle:rise=0.2", "warmup:,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		s, err := optim.ParseSchedule(spec)
		if err != nil {
			return
		}
		back, err := optim.ParseSchedule(s.String())
		if err != nil || back.String() != s.String() {
			t.Fatalf("%q prints as %q, which gives %v, %v", spec, s, back, err)
		}
	})
}

// The learning rate of a run of 100 steps that warms up over 10.
func ExampleParseSchedule() {
	s, err := optim.ParseSchedule("warmup:steps=10,cosine")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, step := range []int{0, 9, 55, 100} {
		fmt.Printf("%.3f\n", 2e-3*s.Factor(step, 100)*1e3)
	}
	// Output:
	// 0.200
	// 2.000
	// 1.000
	// 0.000
}
