package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/weft-ml/weft/core/compile"
)

// profileUsage describes the flag of the commands that profile what they do.
const profileUsage = "write a Chrome trace of the computation to `file` and list the operators' times on standard error"

var started = time.Now()

// sinceStart is the clock of profiles.
func sinceStart() int64 { return int64(time.Since(started)) }

// profiled does the work under a profile, lists the operators on standard error and writes the trace to a file; with an empty name
// it only does the work.
func (c *cli) profiled(rt *compile.Runtime, file string, work func() error) error {
	if file == "" {
		return work()
	}
	if err := rt.StartProfile(compile.ProfileOptions{Now: sinceStart, Limits: true}); err != nil {
		return err
	}
	err := work()
	p := rt.StopProfile()
	printProfile(c.stderr, p, maxProfileRows)
	if werr := os.WriteFile(file, p.Trace(), 0o666); err == nil {
		err = werr
	}
	return err
}

const (
	profileRuns    = 10
	maxProfileRows = 60
)

// profileJob runs a benchmark some more times under a profile.
func (c *cli) profileJob(rt *compile.Runtime, j *job, name string, f benchFlags) error {
	if err := rt.StartProfile(compile.ProfileOptions{Now: sinceStart, Limits: true}); err != nil {
		return err
	}
	var err error
	for range profileRuns {
		if err == nil {
			err = j.run()
		}
	}
	p := rt.StopProfile()
	if err != nil {
		return err
	}
	if f.profile {
		w := c.stdout
		if c.json {
			w = c.stderr
		}
		printProfile(w, p, maxProfileRows)
	}
	if f.trace == "" {
		return nil
	}
	if err := os.MkdirAll(f.trace, 0o777); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(f.trace, strings.NewReplacer("/", "-", " ", "-").Replace(name)+".json"), p.Trace(), 0o666)
}

// printProfile lists the rows of a profile, slowest first, at most n of them.
func printProfile(w io.Writer, p *compile.Profile, n int) {
	l := p.Limits
	fmt.Fprintf(w, "    %d runs of %.4g ms, %.1f %% of it between steps; limits of %d threads: %.1f GFLOP/s, %.1f GB/s\n", p.Runs, float64(p.Nanos)/1e6/float64(max(p.Runs, 1)),
		100*float64(p.Nanos-p.StepNanos())/float64(max(p.Nanos, 1)), p.Threads, l.FLOPS/1e9, l.Bytes/1e9)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "    part\tus mean\tbest\tcount\tGFLOP/s\tGB/s\tlimit\t  operator\t")
	rows := p.Sorted()
	for i := range rows[:min(n, len(rows))] {
		r := &rows[i]
		best := float64(r.Least)
		if best == 0 {
			best = r.Mean()
		}
		what := r.Operator
		if r.Node != "" {
			what += " " + r.Node
		}
		fmt.Fprintf(t, "    %.1f %%\t%.1f\t%.1f\t%d\t%s\t%s\t%s\t  %s  %s  %v -> %v\n", 100*float64(r.Nanos)/float64(max(p.Nanos, 1)), r.Mean()/1e3, best/1e3, r.Count,
			rate(r.FLOPs/best), rate(float64(r.Bytes)/best), percent(l.Share(r, best)), what, r.Kernels, r.Inputs, r.Outputs)
	}
	t.Flush()
	if len(rows) > n {
		fmt.Fprintf(w, "    and %d more\n", len(rows)-n)
	}
	if p.Dropped > 0 {
		fmt.Fprintf(w, "    the trace holds the first %d events, %d more did not fit\n", len(p.Events), p.Dropped)
	}
}

func rate(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", v)
}

func percent(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f %%", 100*v)
}
