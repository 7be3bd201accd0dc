package compile_test

import (
	"encoding/json"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/tensor"
)

// ticks is a clock that advances with every look at it.
func ticks() func() int64 {
	t := int64(1000)
	return func() int64 { t += 10; return t }
}

// profileLeNet profiles training steps of LeNet.
func profileLeNet(t *testing.T, threads, runs int, opt compile.ProfileOptions) (*compile.Program, *compile.Profile) {
	if opt.Now == nil && runtime.GOOS == "js" { // where whoever profiles has the clock
		start := time.Now()
		opt.Now = func() int64 { return int64(time.Since(start)) }
	}
	g := lenetStep("sgd", false)
	rt := newRuntime(t, threads)
	p := mustCompile(t, rt, g, nil, compile.Options{})
	in := batch(rand.New(rand.NewPCG(1, 1)), g.Inputs[0], 8, 10, 0.1)
	mustRun(t, p, in...)
	if err := rt.StartProfile(opt); err != nil {
		t.Fatal(err)
	}
	if err := rt.StartProfile(opt); err == nil {
		t.Error("two profiles at once")
	}
	for range runs {
		mustRun(t, p, in...)
	}
	prof := rt.StopProfile()
	if rt.StopProfile() != nil {
		t.Error("a profile that nobody started")
	}
	mustRun(t, p, in...)
	return p, prof
}

func TestProfile(t *testing.T) {
	p, prof := profileLeNet(t, 1, 3, compile.ProfileOptions{Now: ticks()})
	steps := p.Steps()
	if prof.Runs != 3 || prof.Steps != int64(3*len(steps)) || len(prof.Events) != 3*len(steps)+3 {
		t.Fatalf("%d runs, %d steps, %d events, the program has %d steps", prof.Runs, prof.Steps, len(prof.Events), len(steps))
	}
	flops, bytes := 0.0, int64(0)
	for _, s := range steps {
		flops += s.FLOPs
		bytes += s.Bytes
	}
	for i := range prof.Rows {
		r := &prof.Rows[i]
		flops -= r.FLOPs
		bytes -= r.Bytes
		if r.Count != 3 || r.Nanos < 30 || r.Least < 10 || r.Mean() != float64(r.Nanos)/3 || r.Operator == "" || r.Kernels == "" {
			t.Errorf("%+v", r)
		}
		if strings.HasPrefix(r.Operator, "Conv") || r.Operator == "Gemm" {
			if r.FLOPs == 0 || len(r.Inputs) < 2 || len(r.Outputs) == 0 {
				t.Errorf("%+v", r)
			}
		}
	}
	if flops != 0 || bytes != 0 {
		t.Errorf("rows and steps differ by %v operations, %d bytes", flops, bytes)
	}
	if got := prof.StepNanos(); got != 10*prof.Steps || prof.Nanos < got {
		t.Errorf("steps take %d, runs %d", got, prof.Nanos)
	}
	sorted := prof.Sorted()
	for i := range sorted[1:] {
		if sorted[i].Nanos < sorted[i+1].Nanos {
			t.Error("not sorted")
		}
	}
}

func TestTrace(t *testing.T) {
	for threads := 1; threads <= 2; threads++ {
		_, prof := profileLeNet(t, threads, 2, compile.ProfileOptions{})
		var trace struct {
			TraceEvents []struct {
				Ph, Name, Cat string
				Pid, Tid      int
				Ts, Dur       float64
				Args          map[string]any
			}
		}
		if err := json.Unmarshal(prof.Trace(), &trace); err != nil {
			t.Fatal(err)
		}
		names, runs, steps := 0, 0, 0
		type piece struct{ from, to float64 }
		var run []piece
		for _, e := range trace.TraceEvents {
			switch {
			case e.Ph == "M":
				names++
			case e.Ph != "X" || e.Pid != 1 || e.Tid < 0 || e.Tid >= threads || e.Ts < 0 || e.Dur < 0 || e.Name == "":
				t.Fatalf("%+v", e)
			case e.Cat == "program":
				runs++
				run = append(run, piece{e.Ts, e.Ts + e.Dur})
			default:
				steps++
				if e.Args["kernel"] == "" || e.Args["outputs"] == nil {
					t.Fatalf("%+v", e)
				}
			}
		}
		if names != prof.Threads+1 || runs != 2 || steps < int(prof.Steps) {
			t.Errorf("%d names, %d runs, %d steps", names, runs, steps)
		}
		for _, e := range trace.TraceEvents { // steps lie inside runs
			const slack = 0.002 // times are rounded
			if e.Ph == "X" && e.Tid == 0 && !(e.Ts > run[0].from-slack && e.Ts+e.Dur < run[0].to+slack || e.Ts > run[1].from-slack && e.Ts+e.Dur < run[1].to+slack) {
				t.Errorf("%+v lies in no run of %v", e, run)
			}
		}
	}
}

// What a profile costs is known beforehand, and what it leaves behind is nothing.
func TestProfileBounds(t *testing.T) {
	p := mustCompile(t, newRuntime(t, 1), tower(1000), nil, compile.Options{NoFusion: true})
	x := tensor.New(tensor.Float32, 1, 4)
	mustRun(t, p, x)
	rt := p.Runtime()
	rt.StartProfile(compile.ProfileOptions{})
	for range 70 {
		mustRun(t, p, x)
	}
	prof := rt.StopProfile()
	if len(prof.Events)+prof.Dropped != 70*1001 || prof.Dropped == 0 || prof.Steps != 70_000 {
		t.Errorf("%d events, %d dropped, %d steps", len(prof.Events), prof.Dropped, prof.Steps)
	}
	if n := testing.AllocsPerRun(10, func() { p.Run(x) }); n > 0 {
		t.Errorf("after a profile a run allocates %v times", n)
	}
}

func TestLimits(t *testing.T) {
	if testing.Short() {
		t.Skip("measures")
	}
	_, prof := profileLeNet(t, 1, 1, compile.ProfileOptions{Limits: true})
	if l := prof.Limits; l.FLOPS < 1e8 || l.FLOPS > 1e13 || l.Bytes < 1e8 || l.Bytes > 1e13 {
		t.Errorf("%+v", l)
	}
	for i := range prof.Rows {
		if r := &prof.Rows[i]; r.Operator == "Gemm" && prof.Limits.Share(r, r.Mean()) <= 0 {
			t.Errorf("%+v", r)
		}
	}
}
