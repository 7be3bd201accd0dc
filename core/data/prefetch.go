package data

import (
	"errors"
	"sync"
)

// prefetcher is the goroutine that prepares batches ahead, and its two queues: filled batches
// towards the consumer, empty ones back. With Prefetch p there are p + 1 batches in circulation, of
// which the consumer holds one, so memory is bounded and nothing is allocated after the first
// round.
type prefetcher struct {
	stop  stopped
	ready chan prepared
	free  chan *Batch
	held  *Batch // the consumer's
	done  chan struct{}
}

// stopped is a Context that end ends.
type stopped struct {
	once sync.Once
	done chan struct{}
}

func (s *stopped) Done() <-chan struct{} { return s.done }

func (s *stopped) Err() error {
	select {
	case <-s.done:
		return errStopped
	default:
		return nil
	}
}

func (s *stopped) end() { s.once.Do(func() { close(s.done) }) }

var errStopped = errors.New("weft: data: the loader was closed")

type prepared struct {
	b   *Batch
	err error
}

// start runs the goroutine from the current position. While it runs it owns l.order and the
// workers; the consumer owns the position.
func (l *Loader) start() {
	p := &prefetcher{
		stop:  stopped{done: make(chan struct{})},
		ready: make(chan prepared, l.opt.Prefetch),
		free:  make(chan *Batch, l.opt.Prefetch+1),
		done:  make(chan struct{}),
	}
	for range l.opt.Prefetch + 1 {
		p.free <- &Batch{}
	}
	l.pre = p
	ctx := &p.stop
	go func(epoch, index int) {
		defer close(p.done)
		for {
			var b *Batch
			select {
			case b = <-p.free:
			case <-ctx.Done():
				return
			}
			err := l.fill(ctx, b, epoch, index)
			select {
			case p.ready <- prepared{b, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return // the consumer sees the error and starts anew when it asks again
			}
			if index++; index == l.steps {
				epoch, index = epoch+1, 0
			}
		}
	}(l.epoch, l.index)
}

// nextPrefetched takes the next filled batch and gives the one before back.
func (l *Loader) nextPrefetched(ctx Context) (*Batch, error) {
	if l.pre == nil {
		l.start()
	}
	p := l.pre
	if p.held != nil {
		p.free <- p.held // never blocks: the queue has room for all
		p.held = nil
	}
	select {
	case r := <-p.ready:
		if r.err != nil {
			l.Close()
			return nil, r.err
		}
		p.held = r.b
		return r.b, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close stops the background goroutine, if any, and waits for it. The position stays: Next starts
// anew from there. Close may be called more than once.
func (l *Loader) Close() {
	if l.pre == nil {
		return
	}
	l.pre.stop.end()
	<-l.pre.done
	l.pre = nil
}
