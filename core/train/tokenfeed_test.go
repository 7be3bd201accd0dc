package train_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/train"
)

func counting(n int) []int64 {
	ids := make([]int64, n)
	for i := range ids {
		ids[i] = int64(i)
	}
	return ids
}

func TestTokenFeed(t *testing.T) {
	f, err := train.NewTokenFeed(counting(103), 10, data.Options{BatchSize: 3, Seed: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cuts := map[int64]bool{}
	var first []int64
	for epoch := range 6 {
		var starts []int64
		for range f.Steps() {
			b, err := f.Next(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			x, y := b.X[0].Int64s(), b.Y[0].Int64s()
			if b.Epoch != epoch || b.N != 3 || len(x) != 30 || len(y) != 30 {
				t.Fatalf("epoch %d: %d windows, %d tokens, %d targets", b.Epoch, b.N, len(x), len(y))
			}
			if first == nil {
				first = slices.Clone(x)
			}
			for i := range x {
				if y[i] != x[i]+1 || i%10 > 0 && x[i] != x[i-1]+1 {
					t.Fatalf("tokens %v, targets %v", x, y)
				}
			}
			starts = append(starts, x[0], x[10], x[20])
		}
		slices.Sort(starts)
		for i, s := range starts {
			cuts[s%10] = true
			if i > 0 && (s-starts[i-1])%10 != 0 || i > 0 && s == starts[i-1] {
				t.Fatalf("windows of one epoch start at %v", starts)
			}
		}
	}
	if len(cuts) < 3 {
		t.Errorf("six epochs were cut at %d different places", len(cuts))
	}
	// A position that was saved delivers the same batches.
	if err := f.Seek(2, 1); err != nil {
		t.Fatal(err)
	}
	state := f.State()
	b, err := f.Next(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(b.X[0].Int64s())
	if err := f.Restore(state); err != nil {
		t.Fatal(err)
	}
	if b, err = f.Next(context.Background()); err != nil || !slices.Equal(b.X[0].Int64s(), want) {
		t.Errorf("after restoring %v, %v; before %v", b.X[0].Int64s(), err, want)
	}
}

func TestTokenFeedErrors(t *testing.T) {
	for _, c := range []struct{ n, window, batch int }{{0, 1, 1}, {1, 1, 1}, {10, 0, 1}, {10, 10, 1}, {30, 10, 3}} {
		if _, err := train.NewTokenFeed(counting(c.n), c.window, data.Options{BatchSize: c.batch}); err == nil || !strings.Contains(err.Error(), "window") {
			t.Errorf("%+v: %v", c, err)
		}
	}
	// The smallest text that is enough.
	if f, err := train.NewTokenFeed(counting(31), 10, data.Options{BatchSize: 2}); err != nil {
		t.Error(err)
	} else if b, err := f.Next(data.Background); err != nil || b.N != 2 {
		t.Errorf("%v, %v", b, err)
	}
}
