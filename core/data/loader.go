package data

import (
	"iter"
	"strconv"
	"sync"

	"github.com/weft-ml/weft/core/random"
)

// Options say how a Loader walks through a source. The zero value gives single samples in the
// source's order, without goroutines.
type Options struct {
	BatchSize int    // samples a batch; 0 means 1
	Shuffle   bool   // a fresh permutation every epoch, from (Seed, epoch)
	Seed      uint64 // of the shuffling
	DropLast  bool   // leave out a last batch that is smaller than BatchSize
	Workers   int    // goroutines that read the samples of a batch; 0 means 1. Results do not depend on it
	Prefetch  int    // batches prepared ahead by a goroutine; 0 prepares each one when it is asked for
}

// Batch is a number of samples side by side. It belongs to the Loader and is overwritten by the
// call of Next after the one that returned it.
type Batch struct {
	N       int       // samples; less than BatchSize only at the end of an epoch
	X       []float32 // features, [N, Spec.Shape...]
	Labels  []int64   // classes, [N]; nil when the source has none
	Targets []float32 // target vectors, [N, Spec.Targets]; nil when the source has none
	Samples []int     // which samples of the source these are, [N]
	Epoch   int       // counted from 0
	Index   int       // of the batch in its epoch, from 0
	Last    bool      // the epoch ends with this batch
}

// Context is what loading looks at to know when to stop; every context.Context is one. The page does without package context, which
// brings clocks and timers along.
type Context interface {
	Done() <-chan struct{}
	Err() error
}

// Background is a Context that never ends.
var Background Context = endless{}

type endless struct{}

func (endless) Done() <-chan struct{} { return nil }
func (endless) Err() error            { return nil }

// Loader delivers the batches of one epoch after the other, without end. It is to be used by one
// goroutine; Close stops what runs in the background.
type Loader struct {
	src   Source
	spec  Spec
	size  int
	opt   Options
	n     int // samples
	steps int // batches an epoch

	epoch, index int // position of the next batch to deliver

	order      []int // permutation of orderEpoch, when shuffling
	orderEpoch int
	own        Batch // the batch of a Loader without prefetching
	pre        *prefetcher
	errs       []error // of each worker
}

// NewLoader returns a Loader at the first batch of epoch 0. An empty source, a batch larger than
// the source with DropLast, and negative options are errors.
func NewLoader(src Source, opt Options) (*Loader, error) {
	spec := src.Spec()
	size, err := checkSpec(spec)
	if err != nil {
		return nil, err
	}
	opt.BatchSize, opt.Workers = max(opt.BatchSize, 0), max(opt.Workers, 1)
	if opt.BatchSize == 0 {
		opt.BatchSize = 1
	}
	l := &Loader{src: src, spec: spec, size: size, opt: opt, n: src.Len(), orderEpoch: -1}
	if l.n == 0 {
		return nil, failure("NewLoader", "the source has no samples")
	}
	l.steps = l.n / opt.BatchSize
	if !opt.DropLast && l.n%opt.BatchSize != 0 {
		l.steps++
	}
	if l.steps == 0 {
		return nil, failure("NewLoader", "the source has "+strconv.Itoa(l.n)+" samples, fewer than one batch of "+
			strconv.Itoa(opt.BatchSize)+", and DropLast leaves out smaller ones: use a smaller batch")
	}
	if l.opt.BatchSize > l.n {
		l.opt.BatchSize = l.n
	}
	return l, nil
}

// Steps returns the number of batches of an epoch.
func (l *Loader) Steps() int { return l.steps }

// Len returns the number of samples of the source.
func (l *Loader) Len() int { return l.n }

// Spec describes a sample.
func (l *Loader) Spec() Spec { return l.spec }

// Position returns epoch and index of the batch that Next delivers next.
func (l *Loader) Position() (epoch, index int) { return l.epoch, l.index }

// Seek moves to batch index of an epoch; index may equal Steps, which is the start of the next
// epoch.
func (l *Loader) Seek(epoch, index int) error {
	if epoch < 0 || index < 0 || index > l.steps {
		return failure("Seek", "no batch "+strconv.Itoa(index)+" of epoch "+strconv.Itoa(epoch)+": an epoch has batches 0 to "+strconv.Itoa(l.steps-1))
	}
	l.Close()
	l.epoch, l.index = epoch, index
	if index == l.steps {
		l.epoch, l.index = epoch+1, 0
	}
	return nil
}

// Next returns the batch at the current position and moves on. An error of the source, or the
// context's when it ends, leaves the position where it was, so that calling again tries again.
func (l *Loader) Next(ctx Context) (*Batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var b *Batch
	var err error
	if l.opt.Prefetch > 0 {
		b, err = l.nextPrefetched(ctx)
	} else {
		b = &l.own
		err = l.fill(ctx, b, l.epoch, l.index)
	}
	if err != nil {
		return nil, err
	}
	if l.index++; l.index == l.steps {
		l.epoch, l.index = l.epoch+1, 0
	}
	return b, nil
}

// Epoch iterates over the batches from the current position to the end of its epoch. It stops
// after the first error, which it yields with a nil batch. Breaking off leaves the position after
// the last batch yielded.
func (l *Loader) Epoch(ctx Context) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		for {
			b, err := l.Next(ctx)
			if !yield(b, err) || err != nil || b.Last {
				return
			}
		}
	}
}

// fill prepares batch index of an epoch in b.
func (l *Loader) fill(ctx Context, b *Batch, epoch, index int) error {
	if b.X == nil {
		m := l.opt.BatchSize
		b.X, b.Samples = make([]float32, m*l.size), make([]int, m)
		if l.spec.Classes > 0 {
			b.Labels = make([]int64, m)
		}
		if l.spec.Targets > 0 {
			b.Targets = make([]float32, m*l.spec.Targets)
		}
	}
	first := index * l.opt.BatchSize
	n := min(l.opt.BatchSize, l.n-first)
	b.N, b.Epoch, b.Index, b.Last = n, epoch, index, index == l.steps-1
	b.X, b.Samples = b.X[:n*l.size], b.Samples[:n]
	if b.Labels != nil {
		b.Labels = b.Labels[:n]
	}
	if b.Targets != nil {
		b.Targets = b.Targets[:n*l.spec.Targets]
	}
	l.arrange(epoch)
	for i := range b.Samples {
		b.Samples[i] = first + i
		if l.opt.Shuffle {
			b.Samples[i] = l.order[first+i]
		}
	}
	workers := min(l.opt.Workers, n)
	if workers == 1 {
		return l.read(ctx, b, 0, n)
	}
	if l.errs == nil {
		l.errs = make([]error, l.opt.Workers)
	}
	var wg sync.WaitGroup
	wg.Add(workers - 1)
	for w := 1; w < workers; w++ {
		go func() {
			defer wg.Done()
			l.errs[w] = l.read(ctx, b, n*w/workers, n*(w+1)/workers)
		}()
	}
	l.errs[0] = l.read(ctx, b, 0, n/workers)
	wg.Wait()
	for _, err := range l.errs[:workers] { // the first by sample order, whatever finished first
		if err != nil {
			return err
		}
	}
	return nil
}

// arrange makes order the permutation of an epoch.
func (l *Loader) arrange(epoch int) {
	if !l.opt.Shuffle || l.orderEpoch == epoch {
		return
	}
	if l.order == nil {
		l.order = make([]int, l.n)
	}
	rng := random.New(l.opt.Seed, random.Derive(streamShuffle, uint64(epoch)))
	rng.PermInto(l.order)
	l.orderEpoch = epoch
}

// read fetches samples [first, end) of a batch.
func (l *Loader) read(ctx Context, b *Batch, first, end int) error {
	t := l.spec.Targets
	for i := first; i < end; i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		class, err := l.src.Read(b.Epoch, b.Samples[i], b.X[i*l.size:(i+1)*l.size], b.Targets[i*t:(i+1)*t])
		if err != nil {
			return &SampleError{Sample: b.Samples[i], Err: err}
		}
		if b.Labels != nil {
			if class < 0 || class >= int64(l.spec.Classes) {
				return &SampleError{Sample: b.Samples[i], Err: failure("Loader", "the class is "+strconv.FormatInt(class, 10)+
					", outside 0 to "+strconv.Itoa(l.spec.Classes-1))}
			}
			b.Labels[i] = class
		}
	}
	return nil
}

// SampleError is an error of a source with the sample it happened at.
type SampleError struct {
	Sample int
	Err    error
}

// Error names the sample and the cause.
func (e *SampleError) Error() string {
	return "weft: data: sample " + strconv.Itoa(e.Sample) + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *SampleError) Unwrap() error { return e.Err }
