package main

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows how training goes on: a bar on a terminal, plain lines elsewhere.
type progress struct {
	w          io.Writer
	bar        *progressbar.ProgressBar
	every      time.Duration
	start      time.Time
	last       time.Time
	first      int // step the run began at
	steps      int
	unit       string  // that speed is counted in
	seen       int     // units since the last line
	sumLoss    float64 // exponential mean
	sumAcc     float64
	weight     float64
	lastStep   int
	plainLines bool
}

func newProgress(w io.Writer, first, steps int, unit string) *progress {
	p := &progress{w: w, first: first, steps: steps, unit: unit, start: time.Now(), last: time.Now(), lastStep: first}
	if isTerminal(w) {
		p.every = 100 * time.Millisecond
		p.bar = progressbar.NewOptions(steps, progressbar.OptionSetWriter(w), progressbar.OptionSetWidth(24), progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), progressbar.OptionThrottle(50*time.Millisecond), progressbar.OptionClearOnFinish())
		_ = p.bar.Set(first)
	} else {
		p.every, p.plainLines = 5*time.Second, true
	}
	return p
}

// update is called after every step.
func (p *progress) update(step, epoch, epochs int, loss float64, correct, n int) {
	const keep = 0.99
	p.sumLoss = keep*p.sumLoss + (1-keep)*loss
	p.sumAcc = keep*p.sumAcc + (1-keep)*float64(correct)/float64(max(n, 1))
	p.weight = keep*p.weight + (1 - keep)
	p.seen += n
	if time.Since(p.last) < p.every {
		return
	}
	p.line(step, epoch, epochs)
}

// epochDone leaves a line for every epoch where there is no bar.
func (p *progress) epochDone(step, epoch, epochs int) {
	if p.plainLines && step > p.lastStep {
		p.line(step, epoch, epochs)
	}
}

// line shows the current state now.
func (p *progress) line(step, epoch, epochs int) {
	now := time.Now()
	rate := float64(p.seen) / max(now.Sub(p.last).Seconds(), 1e-9)
	p.last, p.lastStep, p.seen = now, step, 0
	perStep := now.Sub(p.start).Seconds() / float64(max(step-p.first, 1))
	eta := time.Duration(perStep * float64(p.steps-step) * float64(time.Second)).Round(time.Second)
	text := fmt.Sprintf("epoch %d/%d  loss %.4f  accuracy %.2f %%  %.0f %s/s  ETA %s", epoch+1, epochs, p.sumLoss/max(p.weight, 1e-9), 100*p.sumAcc/max(p.weight, 1e-9), rate, p.unit, eta)
	if p.plainLines {
		fmt.Fprintf(p.w, "step %d/%d  %s\n", step, p.steps, text)
		return
	}
	p.bar.Describe(text)
	_ = p.bar.Set(step)
}

// note prints a line beside the bar.
func (p *progress) note(format string, args ...any) {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	fmt.Fprintf(p.w, format+"\n", args...)
}

func (p *progress) done() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
