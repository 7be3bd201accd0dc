package data_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/weft-ml/weft/core/data"
)

// counting is a source of n samples of one feature, which is 1000*epoch + i; class i%3.
type counting struct {
	n      int
	fail   atomic.Int64 // Read of this sample fails, when not negative
	target bool
}

func newCounting(n int) *counting {
	c := &counting{n: n}
	c.fail.Store(-1)
	return c
}

var errBroken = errors.New("broken")

func (c *counting) Len() int { return c.n }
func (c *counting) Spec() data.Spec {
	s := data.Spec{Shape: []int{1}, Classes: 3}
	if c.target {
		s.Targets = 2
	}
	return s
}
func (c *counting) Read(epoch, i int, x, target []float32) (int64, error) {
	if c.fail.Load() == int64(i) {
		return 0, errBroken
	}
	x[0] = float32(1000*epoch + i)
	for j := range target {
		target[j] = float32(i * (j + 1))
	}
	return int64(i % 3), nil
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// wantError checks that an error says something and has the project's prefix.
func wantError(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) || !strings.HasPrefix(err.Error(), "weft: data: ") {
		t.Errorf("error %v, want it to contain %q", err, text)
	}
}

// run takes steps batches and writes them down.
func run(t *testing.T, l *data.Loader, steps int) (out []string) {
	t.Helper()
	for range steps {
		b, err := l.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		line := []byte{byte('0' + b.Epoch), ':', byte('0' + b.Index)}
		if b.Last {
			line = append(line, '!')
		}
		for i, s := range b.Samples {
			if b.X[i] != float32(1000*b.Epoch+s) || b.Labels[i] != int64(s%3) {
				t.Fatalf("sample %d of epoch %d has feature %v and label %d", s, b.Epoch, b.X[i], b.Labels[i])
			}
			if b.Targets != nil && b.Targets[2*i+1] != float32(2*s) {
				t.Fatalf("sample %d has targets %v", s, b.Targets[2*i:2*i+2])
			}
			line = append(line, ' ', byte('0'+s/10), byte('0'+s%10))
		}
		if len(b.Samples) != b.N || len(b.X) != b.N || len(b.Labels) != b.N {
			t.Fatalf("lengths differ from N = %d", b.N)
		}
		out = append(out, string(line))
	}
	return out
}

func TestLoaderInOrder(t *testing.T) {
	l := must[*data.Loader](t)(data.NewLoader(newCounting(5), data.Options{BatchSize: 2}))
	want := []string{"0:0 00 01", "0:1 02 03", "0:2! 04", "1:0 00 01"}
	if got := run(t, l, 4); !slices.Equal(got, want) {
		t.Errorf("batches %q, want %q", got, want)
	}
	l = must[*data.Loader](t)(data.NewLoader(newCounting(5), data.Options{BatchSize: 2, DropLast: true}))
	want = []string{"0:0 00 01", "0:1! 02 03", "1:0 00 01"}
	if got := run(t, l, 3); !slices.Equal(got, want) {
		t.Errorf("dropping the last: batches %q, want %q", got, want)
	}
	if l.Steps() != 2 || l.Len() != 5 || l.Spec().Classes != 3 {
		t.Error("Steps, Len or Spec is wrong")
	}
}

// TestLoaderSameBatches holds that workers, prefetching and resuming at any batch change nothing.
func TestLoaderSameBatches(t *testing.T) {
	src := newCounting(23)
	src.target = true
	opt := data.Options{BatchSize: 4, Shuffle: true, Seed: 9}
	want := run(t, must[*data.Loader](t)(data.NewLoader(src, opt)), 18)
	seen := map[string]bool{}
	for _, s := range want {
		seen[strings.TrimLeft(s, "0123456789:!")] = true
	}
	if len(seen) != 18 {
		t.Errorf("epochs repeat batches: %q", want)
	}
	for _, workers := range []int{1, 3, 8} {
		for _, prefetch := range []int{0, 1, 5} {
			opt.Workers, opt.Prefetch = workers, prefetch
			l := must[*data.Loader](t)(data.NewLoader(src, opt))
			if got := run(t, l, 18); !slices.Equal(got, want) {
				t.Errorf("workers %d, prefetch %d: batches %q, want %q", workers, prefetch, got, want)
			}
			l.Close()
			for cut := range 18 {
				l := must[*data.Loader](t)(data.NewLoader(src, opt))
				run(t, l, cut)
				b := must[[]byte](t)(l.State().MarshalBinary())
				l.Close()
				var s data.State
				if err := s.UnmarshalBinary(b); err != nil {
					t.Fatal(err)
				}
				r := must[*data.Loader](t)(data.NewLoader(src, opt))
				if err := r.Restore(s); err != nil {
					t.Fatal(err)
				}
				if got := run(t, r, 18-cut); !slices.Equal(got, want[cut:]) {
					t.Fatalf("resumed at %d: batches %q, want %q", cut, got, want[cut:])
				}
				r.Close()
				r.Close()
			}
		}
	}
	opt.Seed++
	if got := run(t, must[*data.Loader](t)(data.NewLoader(src, opt)), 18); slices.Equal(got, want) {
		t.Error("another seed gives the same batches")
	}
}

func TestLoaderEveryEpochIsAPermutation(t *testing.T) {
	l := must[*data.Loader](t)(data.NewLoader(newCounting(50), data.Options{BatchSize: 7, Shuffle: true, Seed: 3, Prefetch: 2}))
	defer l.Close()
	for epoch := range 3 {
		count := make([]int, 50)
		for b, err := range l.Epoch(t.Context()) {
			if err != nil || b.Epoch != epoch {
				t.Fatal(err, b)
			}
			for _, s := range b.Samples {
				count[s]++
			}
		}
		if slices.Min(count) != 1 || slices.Max(count) != 1 {
			t.Errorf("epoch %d shows the samples %v times", epoch, count)
		}
	}
	if e, i := l.Position(); e != 3 || i != 0 {
		t.Errorf("position %d, %d after three epochs", e, i)
	}
}

func TestLoaderErrors(t *testing.T) {
	for _, prefetch := range []int{0, 3} {
		for _, workers := range []int{1, 4} {
			src := newCounting(20)
			src.fail.Store(9)
			l := must[*data.Loader](t)(data.NewLoader(src, data.Options{BatchSize: 4, Workers: workers, Prefetch: prefetch}))
			run(t, l, 2)
			for range 2 {
				_, err := l.Next(t.Context())
				var at *data.SampleError
				if !errors.Is(err, errBroken) || !errors.As(err, &at) || at.Sample != 9 {
					t.Fatalf("error %v", err)
				}
			}
			src.fail.Store(-1)
			if got := run(t, l, 1); got[0] != "0:2 08 09 10 11" {
				t.Errorf("after the error: %q", got)
			}
			l.Close()
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if _, err := l.Next(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled: %v", err)
			}
			if got := run(t, l, 1); got[0] != "0:3 12 13 14 15" {
				t.Errorf("after cancelling: %q", got)
			}
			l.Close()
		}
	}
	_, err := data.NewLoader(newCounting(0), data.Options{})
	wantError(t, err, "no samples")
	_, err = data.NewLoader(newCounting(3), data.Options{BatchSize: 4, DropLast: true})
	wantError(t, err, "fewer than one batch of 4")
	l := must[*data.Loader](t)(data.NewLoader(newCounting(10), data.Options{BatchSize: 4, Shuffle: true}))
	for text, change := range map[string]func(s *data.State){
		"samples 11":      func(s *data.State) { s.Samples = 11 },
		"batch size 5":    func(s *data.State) { s.BatchSize = 5 },
		"shuffle false":   func(s *data.State) { s.Shuffle = false },
		"seed 7":          func(s *data.State) { s.Seed = 7 },
		"drop-last true":  func(s *data.State) { s.DropLast = true },
		"no batch 4":      func(s *data.State) { s.Index = 4 },
		"no batch 0 of e": func(s *data.State) { s.Epoch = -1 },
	} {
		s := l.State()
		change(&s)
		wantError(t, l.Restore(s), text)
	}
	if err := l.Seek(2, 3); err != nil {
		t.Fatal(err)
	}
	if e, i := l.Position(); e != 3 || i != 0 {
		t.Errorf("Seek past the end went to %d, %d", e, i)
	}
	var s data.State
	wantError(t, s.UnmarshalBinary(make([]byte, 42)), "not a saved loader state")
	bad := must[[]byte](t)(l.State().MarshalBinary())
	bad[20] = 0xff
	wantError(t, s.UnmarshalBinary(bad[:41]), "41 bytes")
	bad[17] = 0xff
	wantError(t, s.UnmarshalBinary(bad), "out of range")
}

func TestLoaderDoesNotAllocate(t *testing.T) {
	src := newCounting(1000)
	l := must[*data.Loader](t)(data.NewLoader(src, data.Options{BatchSize: 32, Shuffle: true}))
	ctx := context.Background()
	if _, err := l.Next(ctx); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := l.Next(ctx); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations per batch", n)
	}
}

func TestMemory(t *testing.T) {
	spec := data.Spec{Shape: []int{2}, Classes: 2, Targets: 1, Names: []string{"a", "b"}}
	x := []float32{1, 2, 3, 4, 5, 6}
	m := must[*data.Memory](t)(data.NewMemory(spec, x, []int64{0, 1, 0}, []float32{7, 8, 9}))
	got, tg := make([]float32, 2), make([]float32, 1)
	if c, err := m.Read(5, 1, got, tg); err != nil || c != 1 || got[0] != 3 || got[1] != 4 || tg[0] != 8 || m.Len() != 3 {
		t.Errorf("Read = %d, %v, %v, %v", c, err, got, tg)
	}
	nan := float32(math.NaN())
	for _, c := range []struct {
		spec   data.Spec
		x      []float32
		labels []int64
		target []float32
		want   string
	}{
		{spec, x[:5], []int64{0, 1}, nil, "got 5 features, not a multiple of the 2"},
		{spec, x, []int64{0, 1}, []float32{1, 2, 3}, "got 2 labels for 3 samples"},
		{spec, x, []int64{0, 1, 2}, []float32{1, 2, 3}, "label 2 is 2"},
		{spec, x, []int64{0, 1, 0}, []float32{1, 2}, "got 2 target numbers"},
		{spec, []float32{1, nan}, []int64{0}, []float32{1}, "sample 0, feature 1 is NaN"},
		{spec, x[:2], []int64{0}, []float32{nan}, "sample 0, target 0 is NaN"},
		{data.Spec{Shape: []int{0}}, nil, nil, nil, "the shape [0]"},
		{data.Spec{Shape: []int{1 << 20, 1 << 20}}, nil, nil, nil, "too many features"},
		{data.Spec{Shape: []int{2}, Classes: -1}, nil, nil, nil, "negative"},
		{data.Spec{Shape: []int{2}, Classes: 1, Names: []string{"a", "b"}}, nil, nil, nil, "got 2 class names"},
		{data.Spec{Shape: []int{2}}, x, []int64{0, 0, 0}, nil, "got 3 labels for 3 samples of 0 classes"},
	} {
		_, err := data.NewMemory(c.spec, c.x, c.labels, c.target)
		wantError(t, err, c.want)
	}
}

func TestBytes(t *testing.T) {
	spec := data.Spec{Shape: []int{1, 1, 2}, Classes: 10}
	b := must[*data.Bytes](t)(data.NewBytes(spec, []byte{0, 255, 51, 3}, []int64{4, 9}, 0))
	x := make([]float32, 2)
	if c, err := b.Read(0, 1, x, nil); err != nil || c != 9 || x[0] != 51.0/255 || x[1] != float32(3)/255 || b.Len() != 2 {
		t.Errorf("Read = %d, %v, %v", c, err, x)
	}
	b = must[*data.Bytes](t)(data.NewBytes(spec, []byte{0, 255}, []int64{4}, 2))
	if _, err := b.Read(0, 0, x, nil); err != nil || x[1] != 510 {
		t.Errorf("scaled: %v, %v", x, err)
	}
	_, err := data.NewBytes(spec, []byte{1, 2, 3}, nil, 0)
	wantError(t, err, "got 3 bytes")
	_, err = data.NewBytes(spec, []byte{1, 2}, []int64{10}, 0)
	wantError(t, err, "label 0 is 10")
	_, err = data.NewBytes(spec, []byte{1, 2}, nil, 0)
	wantError(t, err, "got 0 labels")
	_, err = data.NewBytes(spec, nil, nil, float32(math.Inf(1)))
	wantError(t, err, "scale is +Inf")
}

func TestSplit(t *testing.T) {
	src := newCounting(90)
	for _, stratify := range []bool{false, true} {
		tr, va, err := data.Split(src, 0.2, data.SplitOptions{Seed: 4, Stratified: stratify})
		if err != nil {
			t.Fatal(err)
		}
		if tr.Len() != 72 || va.Len() != 18 {
			t.Fatalf("parts of %d and %d", tr.Len(), va.Len())
		}
		seen := make([]int, 90)
		x := make([]float32, 1)
		perClass := make([]int, 3)
		for _, part := range []*data.Subset{tr, va} {
			for i := range part.Len() {
				c, err := part.Read(0, i, x, nil)
				if err != nil {
					t.Fatal(err)
				}
				seen[int(x[0])]++
				if part == va {
					perClass[c]++
				}
			}
		}
		if slices.Min(seen) != 1 || slices.Max(seen) != 1 {
			t.Error("the parts do not make up the whole")
		}
		if stratify && !slices.Equal(perClass, []int{6, 6, 6}) {
			t.Errorf("stratified classes %v", perClass)
		}
		labels := must[[]int64](t)(data.Labels(va))
		if len(labels) != 18 {
			t.Errorf("%d labels", len(labels))
		}
		_, again, _ := data.Split(src, 0.2, data.SplitOptions{Seed: 4, Stratified: stratify})
		_, other, _ := data.Split(src, 0.2, data.SplitOptions{Seed: 5, Stratified: stratify})
		if ids(t, va) != ids(t, again) || ids(t, va) == ids(t, other) {
			t.Error("the split does not follow the seed")
		}
	}
	for _, f := range []float64{0, 1, -1, math.NaN()} {
		_, _, err := data.Split(src, f, data.SplitOptions{})
		wantError(t, err, "validation fraction")
	}
	_, _, err := data.Split(newCounting(2), 0.1, data.SplitOptions{})
	wantError(t, err, "leaves one part empty")
	plain := must[*data.Memory](t)(data.NewMemory(data.Spec{Shape: []int{1}}, []float32{1, 2}, nil, nil))
	_, _, err = data.Split(plain, 0.5, data.SplitOptions{Stratified: true})
	wantError(t, err, "no class labels")
	if l, err := data.Labels(plain); l != nil || err != nil {
		t.Errorf("Labels = %v, %v", l, err)
	}
	_, err = data.NewSubset(plain, []int{0, 2})
	wantError(t, err, "index 1 is 2")
}

func ids(t *testing.T, src data.Source) string {
	var b []byte
	x := make([]float32, 1)
	for i := range src.Len() {
		if _, err := src.Read(0, i, x, nil); err != nil {
			t.Fatal(err)
		}
		b = append(b, byte(x[0]))
	}
	return string(b)
}

func TestNormalize(t *testing.T) {
	spec := data.Spec{Shape: []int{2, 2}, Classes: 2}
	m := must[*data.Memory](t)(data.NewMemory(spec, []float32{1, 3, 10, 10, 5, 7, 10, 10}, []int64{0, 1}, nil))
	for _, c := range []struct {
		per         data.Per
		mean, scale []float32
		first       []float32
	}{
		{data.PerSource, []float32{7}, []float32{float32(1 / math.Sqrt(11.5))}, nil},
		{data.PerChannel, []float32{4, 10}, []float32{float32(1 / math.Sqrt(5)), 1}, nil},
		{data.PerFeature, []float32{3, 5, 10, 10}, []float32{0.5, 0.5, 1, 1}, []float32{-1, -1, 0, 0}},
	} {
		mean, scale, err := data.Moments(m, c.per)
		if err != nil || !slices.Equal(mean, c.mean) || !slices.Equal(scale, c.scale) {
			t.Errorf("Moments(%d) = %v, %v, %v, want %v, %v", c.per, mean, scale, err, c.mean, c.scale)
		}
		n := must[*data.Normalized](t)(data.Normalize(m, mean, scale))
		x := make([]float32, 4)
		if class, err := n.Read(0, 0, x, nil); err != nil || class != 0 {
			t.Fatal(class, err)
		}
		if c.first != nil && !slices.Equal(x, c.first) {
			t.Errorf("normalised %v, want %v", x, c.first)
		}
		if l := must[[]int64](t)(data.Labels(n)); n.Len() != 2 || !slices.Equal(l, []int64{0, 1}) {
			t.Errorf("labels %v", l)
		}
	}
	_, err := data.Normalize(m, []float32{1, 2, 3}, []float32{1, 2, 3})
	wantError(t, err, "got 3 means for samples of shape [2 2]")
	_, err = data.Normalize(m, []float32{1}, []float32{0})
	wantError(t, err, "scale not 0")
	_, err = data.Normalize(m, []float32{1}, nil)
	wantError(t, err, "got 1 means and 0 scales")
	_, _, err = data.Moments(newCounting(0), data.PerSource)
	wantError(t, err, "empty")
}
