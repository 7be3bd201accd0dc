package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// workloadsJSON lists the workloads; the names are the contract with other runtimes' measurements.
//
//go:embed workloads.json
var workloadsJSON []byte

// workloads has the form of workloads.json; all are float32.
type workloads struct {
	Sgemm       [][3]int   `json:"sgemm"` // M, K, N
	Conv        []convWork `json:"conv"`
	Lenet       []string   `json:"lenet"`
	Transformer []string   `json:"transformer"`
	LSTM        []string   `json:"lstm"`
	ONNX        []string   `json:"onnx"`
}

type convWork struct {
	Name   string `json:"name"`
	N      int    `json:"n"`
	H      int    `json:"h"`
	W      int    `json:"w"`
	Cin    int    `json:"cin"`
	K      int    `json:"k"`
	Cout   int    `json:"cout"`
	Pad    int    `json:"pad"`
	Groups int    `json:"groups"`
}

// job is one workload made ready: run makes it once, check gives the value that shows it computes the right thing.
type job struct {
	run   func() error
	check func() (float64, error)
	flops float64 // of one run; 0: not counted
	items float64 // images or steps of one run
	close func()
}

// namedJob makes a job when its turn comes.
type namedJob struct {
	name string
	make func(rt *compile.Runtime) (*job, error)
}

// errSkip says why a workload is left out.
type errSkip struct{ why string }

func (e errSkip) Error() string { return e.why }

type benchFlags struct {
	threads int
	only    string
	file    string
	models  string
	profile bool
	trace   string
}

func (c *cli) benchCmd() *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure the runtime on this machine",
		Long: `Measures matrix products, convolutions and whole networks. Each is warmed up, repeated for at least 30 ms a sample, and sampled
up to 15 times in 1.5 s; the smallest and the median time of one run are reported, with a check value that tells whether
runtimes compute the same. Without --threads it measures one thread, then two. The onnx/ workloads need their files, in the folder --models.

--profile lists, slowest first, what each operator takes in the fastest of ten runs, its operations and bytes, and what part it reaches of the machine's
limit, which is measured with the same threads: of multiply-adds or of memory, whichever holds it back. --trace writes those runs for Perfetto and
chrome://tracing.`,
		Example: "  weft bench --only 'lenet|sgemm/256' --threads 1\n  weft bench --json --models ./models\n  weft bench --only transformer/fwd --profile --trace traces",
		Args:    exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.bench(cmd.Context(), f)
		},
	}
	fl := cmd.Flags()
	fl.IntVar(&f.threads, "threads", 0, "threads (default: 1, then 2)")
	fl.StringVar(&f.only, "only", "", "regular expression of the workloads to run")
	fl.StringVar(&f.file, "workloads", "", "JSON file with the list of workloads (default: the built-in list)")
	fl.StringVar(&f.models, "models", "", "folder with the ONNX files of the onnx/ workloads")
	fl.BoolVar(&f.profile, "profile", false, "list the operators of each workload with their times and speeds, and what part of the machine's limit they reach")
	fl.StringVar(&f.trace, "trace", "", "folder for a Chrome trace file of each workload")
	return cmd
}

// benchRow is one line of --json.
type benchRow struct {
	Peer  string         `json:"peer"`
	Env   string         `json:"env"`
	Info  map[string]any `json:"info,omitempty"`
	W     string         `json:"w,omitempty"`
	Min   float64        `json:"ms_min,omitempty"`
	Med   float64        `json:"ms_med,omitempty"`
	N     int            `json:"n,omitempty"`
	Iters int            `json:"iters,omitempty"`
	First float64        `json:"first_ms,omitempty"`
	Check *float64       `json:"check,omitempty"`
	Skip  string         `json:"skip,omitempty"`
	Err   string         `json:"err,omitempty"`
}

func (c *cli) bench(ctx context.Context, f benchFlags) error {
	list := workloadsJSON
	if f.file != "" {
		b, err := os.ReadFile(f.file)
		if err != nil {
			return err
		}
		list = b
	}
	var w workloads
	if err := json.Unmarshal(list, &w); err != nil {
		return fmt.Errorf("--workloads %s: %w", f.file, err)
	}
	only, err := regexp.Compile(f.only)
	if err != nil {
		return usageError{fmt.Errorf("--only: %w", err)}
	}
	if f.threads < 0 || f.threads > 1024 {
		return usagef("--threads must be 0 to 1024, not %d", f.threads)
	}
	threads := []int{f.threads}
	if f.threads == 0 {
		threads = []int{1, 2}
		if runtime.NumCPU() == 1 {
			threads = threads[:1]
		}
	}
	for _, t := range threads {
		if err := c.benchThreads(ctx, t, jobs(w, f.models), only, f); err != nil {
			return err
		}
	}
	return nil
}

func (c *cli) benchThreads(ctx context.Context, threads int, list []namedJob, only *regexp.Regexp, f benchFlags) error {
	peer := fmt.Sprintf("weft-%dt", threads)
	v := currentVersion()
	c.benchRow(benchRow{Peer: peer, Env: "native", Info: map[string]any{"version": v.Version, "go": v.Go, "kernels": v.Kernels, "numerics": v.Numerics, "threads": threads}}, nil)
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: threads})
	defer rt.Close()
	for _, nj := range list {
		if !only.MatchString(nj.name) {
			continue
		}
		if ctx.Err() != nil {
			return interrupted{"stopped before " + nj.name}
		}
		row := benchRow{Peer: peer, Env: "native", W: nj.name}
		j, err := makeJob(nj, rt)
		if err == nil {
			err = measure(&row, j.run)
		}
		if err == nil && j.check != nil {
			var v float64
			if v, err = j.check(); err == nil {
				row.Check = &v
			}
		}
		if s, ok := err.(errSkip); ok {
			row.Skip = s.why
		} else if err != nil {
			row.Err = err.Error()
		}
		c.benchRow(row, j)
		if err == nil && (f.profile || f.trace != "") {
			if err := c.profileJob(rt, j, peer+" "+nj.name, f); err != nil {
				return err
			}
		}
		if j != nil && j.close != nil {
			j.close()
		}
	}
	return nil
}

func makeJob(nj namedJob, rt *compile.Runtime) (j *job, err error) {
	defer tensor.Catch(&err)
	return nj.make(rt)
}

// benchRow prints one result: a JSON line, or one line of text.
func (c *cli) benchRow(r benchRow, j *job) {
	if c.json {
		c.printJSON(r)
		return
	}
	switch {
	case r.Info != nil:
		fmt.Fprintf(c.stdout, "%s: kernels %s, numeric class %s\n", r.Peer, simd.Current().Name, simd.Current().Class)
	case r.Skip != "":
		fmt.Fprintf(c.stdout, "  %-28s skipped: %s\n", r.W, r.Skip)
	case r.Err != "":
		fmt.Fprintf(c.stdout, "  %-28s failed: %s\n", r.W, r.Err)
	default:
		fmt.Fprintf(c.stdout, "  %-28s %10.4f ms best %10.4f ms median", r.W, r.Min, r.Med)
		if j.flops > 0 {
			fmt.Fprintf(c.stdout, "  %8.1f GFLOP/s", j.flops/r.Med/1e6)
		}
		if j.items > 0 {
			fmt.Fprintf(c.stdout, "  %8.0f /s", j.items/r.Med*1e3)
		}
		fmt.Fprintln(c.stdout)
	}
}

// measure times a run by the rule of the peers' harness: warm up, find a repeat count that lasts 30 ms, sample up
// to 15 times, at least 3, within 1.5 s.
func measure(r *benchRow, run func() error) error {
	const target, budget, most = 30.0, 1500 * time.Millisecond, 15
	var failed error
	ms := func(k int) float64 {
		t := time.Now()
		for range k {
			if err := run(); err != nil && failed == nil {
				failed = err
			}
		}
		return time.Since(t).Seconds() * 1e3 / float64(k)
	}
	r.First = ms(1)
	if failed != nil {
		return failed
	}
	t := ms(1)
	if t < target {
		t = ms(max(1, min(64, int(target/max(t, 0.05)+0.999))))
	}
	r.Iters = max(1, int(target/max(t, 1e-6)+0.999))
	var s []float64
	start := time.Now()
	for len(s) < most && (len(s) < 3 || time.Since(start) < budget) {
		s = append(s, ms(r.Iters))
	}
	slices.Sort(s)
	r.Min, r.Med, r.N = s[0], s[len(s)/2], len(s)
	return failed
}
