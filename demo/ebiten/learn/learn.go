// Package learn trains LeNet beside the window: natively in a goroutine, in the browser in a worker. The window asks for the latest
// snapshot and never waits.
package learn

import (
	"fmt"
	"io/fs"
)

// Config says what a run does.
type Config struct {
	Data         string // Digits or Folder
	Name         string // what the data is called, for those who look on
	LearningRate float64
	BatchSize    int
	Epochs       int
	Seed         uint64
	Samples      int // of an epoch, 0: all that there are
	TestSamples  int // measured after every epoch, 0: all that there are
}

// The data that there may be.
const (
	Digits = "digits" // the built-in ones
	Folder = "folder" // MNIST or its kin, as the user named it
)

// State is where a run stands.
type State uint8

const (
	Idle State = iota
	Preparing
	Running
	Paused
	Stopped // by the user
	Done
	Failed
)

func (s State) String() string {
	return [...]string{"idle", "preparing", "running", "paused", "stopped", "done", "failed"}[s]
}

// Active reports whether a run is under way.
func (s State) Active() bool { return s == Preparing || s == Running || s == Paused }

// Point is one point of a curve.
type Point struct {
	Step     int // steps done
	Loss     float64
	Accuracy float64
}

// Snapshot is a run at one moment. It does not change any more.
type Snapshot struct {
	State        State
	Err          error // of Failed
	Config       Config
	Epoch        int // that is under way, from 1
	Step, Steps  int
	Samples      int     // of an epoch
	LearningRate float64 // of the last step
	PerSecond    float64 // images, over the last second
	Train        []Point // means over stretches
	Test         []Point // after every epoch
	Model        int     // counts the models that Weights has given; 0: there is none
}

// Given is the data that the user has brought, at one moment. It does not change any more.
type Given struct {
	Name        string // what it is called; "": there is none
	Train, Test int    // images
	Reading     bool   // files are being read
	Err         error  // why the last files were refused; what was there before stays
	Count       int    // of the times that files were taken or refused
}

// Trainer trains. Its methods return at once and may be called from any goroutine.
type Trainer interface {
	// Start begins a run; it is an error while another is under way.
	Start(Config) error
	// Pause stops between two steps until Resume.
	Pause()
	Resume()
	// Stop ends the run; the weights are those of its last step.
	Stop()
	// Snapshot returns the latest moment, never nil.
	Snapshot() *Snapshot
	// Given returns the data that the user has brought, never nil.
	Given() *Given
	// Bring reads MNIST's four files out of what was dropped, files or their folder; Given tells how that ends.
	Bring(dropped fs.FS)
	// Choose lets the user choose the files, where that is possible: CanChoose says whether it is.
	Choose()
	CanChoose() bool
	// Weights returns the latest model as an ONNX file, nil where there is none: of the last epoch, or of the moment of a pause.
	Weights() []byte
	// Close stops and waits until nothing runs any more.
	Close()
}

// curve averages steps over stretches, twice as long ones whenever it has become long, so that a run of any length has 100 to 200
// points.
type curve struct {
	points  []Point
	stretch int // steps of a point
	n       int // of the point that grows
	loss    float64
	right   float64
	samples float64
}

const maxPoints = 200

// add takes a step: its number from 1, its mean loss, and how many of its samples were right.
func (c *curve) add(step int, loss float64, right, samples int) {
	if c.stretch == 0 {
		c.stretch = 1
	}
	c.loss += loss * float64(samples)
	c.right += float64(right)
	c.samples += float64(samples)
	c.n++
	if c.n < c.stretch {
		return
	}
	c.points = append(c.points, Point{step, c.loss / c.samples, c.right / c.samples})
	c.n, c.loss, c.right, c.samples = 0, 0, 0, 0
	if len(c.points) < maxPoints {
		return
	}
	for i := range maxPoints / 2 {
		a, b := c.points[2*i], c.points[2*i+1]
		c.points[i] = Point{b.Step, (a.Loss + b.Loss) / 2, (a.Accuracy + b.Accuracy) / 2}
	}
	c.points = c.points[:maxPoints/2]
	c.stretch *= 2
}

// check finds out what no run can do.
func (c *Config) check() error {
	if !(c.LearningRate > 0) || c.BatchSize < 1 || c.Epochs < 1 {
		return fmt.Errorf("learning rate, batch size and epochs must be more than 0, not %v, %d, %d", c.LearningRate, c.BatchSize, c.Epochs)
	}
	return nil
}
