package train

import (
	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/random"
	"github.com/weft-ml/weft/core/tensor"
)

// TokenFeed gives windows of one long text to a network that predicts the next token at every position: inputs [n, window] and targets, the
// tokens that follow each, of the same shape. An epoch reads every token once, cut at places that differ from epoch to epoch, in random order.
type TokenFeed struct {
	order  *data.Loader
	ids    []int64
	window int
	seed   uint64
	x, y   []int64
	b      Batch
}

// windowStream is the random stream of the places where epochs are cut.
const windowStream = 0x77d0

// NewTokenFeed returns a feed over tokens, which it keeps. opt says how many windows are a batch and the seed; windows are always shuffled, and the
// last batch of an epoch is left out when it is smaller.
func NewTokenFeed(ids []int64, window int, opt data.Options) (*TokenFeed, error) {
	if window < 1 {
		return nil, tensor.Err("train", "a window needs one token at least, not ", window)
	}
	// One window less than would fit leaves room to move the cuts; each needs the token behind it as well.
	n := (len(ids) - 1) / window
	if n > 1 && n*window+window-1 > len(ids)-1 {
		n--
	}
	batch := max(opt.BatchSize, 1)
	if n < batch {
		return nil, tensor.Err("train", "a text of ", len(ids), " tokens has no ", batch, " windows of ", window, "; use a longer text, a smaller window or a smaller batch")
	}
	l, err := data.NewLoader(order(n), data.Options{BatchSize: batch, Shuffle: true, DropLast: true, Seed: opt.Seed})
	if err != nil {
		return nil, err
	}
	f := &TokenFeed{order: l, ids: ids, window: window, seed: opt.Seed}
	f.x, f.y = make([]int64, batch*window), make([]int64, batch*window)
	f.b.X, f.b.Y = make([]*tensor.Tensor, 1), make([]*tensor.Tensor, 1)
	return f, nil
}

// Steps returns the number of batches of an epoch.
func (f *TokenFeed) Steps() int { return f.order.Steps() }

// Len returns the number of windows.
func (f *TokenFeed) Len() int { return f.order.Len() }

// Seek moves to a batch of an epoch.
func (f *TokenFeed) Seek(epoch, index int) error { return f.order.Seek(epoch, index) }

// State returns the position.
func (f *TokenFeed) State() data.State { return f.order.State() }

// Restore moves to a saved position.
func (f *TokenFeed) Restore(s data.State) error { return f.order.Restore(s) }

// Close ends the feed.
func (f *TokenFeed) Close() { f.order.Close() }

// Next returns the next batch.
func (f *TokenFeed) Next(ctx data.Context) (*Batch, error) {
	b, err := f.order.Next(ctx)
	if err != nil {
		return nil, err
	}
	f.b.N, f.b.Samples, f.b.Epoch, f.b.Index, f.b.Last = b.N, b.Samples, b.Epoch, b.Index, b.Last
	slack := len(f.ids) - 1 - f.order.Len()*f.window
	rng := random.New(f.seed, windowStream+uint64(b.Epoch))
	cut := rng.IntN(min(slack, f.window-1) + 1)
	w := f.window
	for i, s := range b.Samples {
		at := cut + s*w
		copy(f.x[i*w:(i+1)*w], f.ids[at:])
		copy(f.y[i*w:(i+1)*w], f.ids[at+1:])
	}
	f.b.X[0] = reuse(f.b.X[0], f.x[:b.N*w], b.N, []int{w})
	f.b.Y[0] = reuse(f.b.Y[0], f.y[:b.N*w], b.N, []int{w})
	return &f.b, nil
}
