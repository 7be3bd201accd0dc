package random_test

import (
	"math"
	"slices"
	"testing"

	"github.com/weft-ml/weft/core/random"
)

// TestPhiloxKnownAnswers holds the three vectors that the authors of Random123 publish for
// philox4x32 with 10 rounds (kat_vectors in their distribution).
func TestPhiloxKnownAnswers(t *testing.T) {
	for _, c := range []struct {
		ctr  [4]uint32
		key  [2]uint32
		want [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, [2]uint32{0xffffffff, 0xffffffff},
			[4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := random.Philox(c.ctr, c.key); got != c.want {
			t.Errorf("Philox(%x, %x) = %x, want %x", c.ctr, c.key, got, c.want)
		}
	}
	s := random.New(0x299f31d0a4093822, 0x0370734413198a2e)
	s.Seek(0x85a308d3243f6a88 % (1 << 62) * 4)
	got := [4]uint32{s.Uint32(), s.Uint32(), s.Uint32(), s.Uint32()}
	if want := random.Block(s.Seed(), s.Stream(), 0x85a308d3243f6a88%(1<<62)); got != want {
		t.Errorf("words of a block = %x, want %x", got, want)
	}
}

func TestSeekAndMarshal(t *testing.T) {
	s := random.New(7, 9)
	var all []uint32
	for range 23 {
		all = append(all, s.Uint32())
	}
	for pos := range all {
		s.Seek(uint64(pos))
		b, err := s.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var r random.Source
		if err := r.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		for i := pos; i < len(all); i++ {
			if got := r.Uint32(); got != all[i] {
				t.Fatalf("resumed at %d: word %d = %#x, want %#x", pos, i, got, all[i])
			}
		}
		if r.Pos() != uint64(len(all)) {
			t.Fatalf("Pos = %d, want %d", r.Pos(), len(all))
		}
	}
	var r random.Source
	for _, bad := range [][]byte{nil, make([]byte, 24), make([]byte, 25), make([]byte, 26)} {
		if r.UnmarshalBinary(bad) == nil {
			t.Errorf("a state of %d bytes was accepted", len(bad))
		}
	}
}

func TestDrawnWords(t *testing.T) {
	s := random.New(1, 2)
	for _, c := range []struct {
		name string
		draw func()
		want uint64
	}{
		{"Uint32", func() { s.Uint32() }, 1},
		{"Uint64", func() { s.Uint64() }, 2},
		{"Float32", func() { s.Float32() }, 1},
		{"Float64", func() { s.Float64() }, 2},
		{"Normal", func() { s.Normal() }, 4},
		{"IntN", func() { s.IntN(10) }, 2},
	} {
		before := s.Pos()
		c.draw()
		if got := s.Pos() - before; got != c.want {
			t.Errorf("%s drew %d words, want %d", c.name, got, c.want)
		}
	}
}

func TestDistributions(t *testing.T) {
	s := random.New(3, 0)
	const n = 200000
	var sum, sq, nsum, nsq, n4, f32 float64
	for range n {
		u := s.Float64()
		if u < 0 || u >= 1 {
			t.Fatalf("Float64 = %v", u)
		}
		sum, sq = sum+u, sq+u*u
		f := s.Float32()
		if f < 0 || f >= 1 {
			t.Fatalf("Float32 = %v", f)
		}
		f32 += float64(f)
		x := s.Normal()
		nsum, nsq, n4 = nsum+x, nsq+x*x, n4+x*x*x*x
	}
	// Bounds of five standard errors.
	for _, c := range []struct {
		name           string
		got, want, tol float64
	}{
		{"uniform mean", sum / n, 0.5, 5 * math.Sqrt(1.0/12/n)},
		{"uniform second moment", sq / n, 1.0 / 3, 5 * math.Sqrt(4.0/45/n)},
		{"Float32 mean", f32 / n, 0.5, 5 * math.Sqrt(1.0/12/n)},
		{"normal mean", nsum / n, 0, 5 * math.Sqrt(1.0/n)},
		{"normal variance", nsq / n, 1, 5 * math.Sqrt(2.0/n)},
		{"normal fourth moment", n4 / n, 3, 5 * math.Sqrt(96.0/n)},
	} {
		if math.Abs(c.got-c.want) > c.tol {
			t.Errorf("%s = %v, want %v +- %v", c.name, c.got, c.want, c.tol)
		}
	}
	for _, m := range []int{1, 2, 3, 7, 10, 1000} {
		count := make([]int, m)
		for range n {
			count[s.IntN(m)]++
		}
		chi, e := 0.0, float64(n)/float64(m)
		for _, c := range count {
			chi += (float64(c) - e) * (float64(c) - e) / e
		}
		if df := float64(m - 1); chi > df+6*math.Sqrt(2*df)+1e-9 {
			t.Errorf("IntN(%d): chi squared %v with %v degrees of freedom", m, chi, df)
		}
	}
}

func TestPermutations(t *testing.T) {
	s := random.New(11, 0)
	count := map[[3]int]int{}
	for range 6000 {
		p := s.Perm(3)
		count[[3]int(p)]++
	}
	if len(count) != 6 {
		t.Errorf("%d of 6 permutations of 3 seen", len(count))
	}
	for p, c := range count {
		if c < 850 || c > 1150 {
			t.Errorf("permutation %v: %d of 6000", p, c)
		}
	}
	a, b := random.New(5, 5), random.New(5, 5)
	p, q := a.Perm(100), make([]int, 100)
	for i := range q {
		q[i] = i
	}
	b.Shuffle(len(q), func(i, j int) { q[i], q[j] = q[j], q[i] })
	if !slices.Equal(p, q) {
		t.Error("Perm and Shuffle disagree from the same state")
	}
	if len(a.Perm(0)) != 0 {
		t.Error("Perm(0) is not empty")
	}
}

func TestIntNPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("IntN(0) did not panic")
		}
	}()
	s := random.New(0, 0)
	s.IntN(0)
}

func TestDerive(t *testing.T) {
	seen := map[uint64]bool{}
	for e := range uint64(30) {
		for i := range uint64(1000) {
			seen[random.Derive(e, i)] = true
		}
	}
	seen[random.Derive()] = true
	seen[random.Derive(0)] = true
	seen[random.Derive(0, 0, 0)] = true
	if len(seen) != 30003 {
		t.Errorf("Derive gave %d different streams of 30003", len(seen))
	}
}

func TestNoAllocations(t *testing.T) {
	p, f := make([]int, 64), make([]float32, 64)
	if n := testing.AllocsPerRun(100, func() {
		s := random.New(1, random.Derive(2, 3))
		s.PermInto(p)
		s.FillNormal(f, 0, 1)
		s.FillUniform(f, -1, 1)
	}); n != 0 {
		t.Errorf("%v allocations per run", n)
	}
}

// TestBits pins results across targets: the same values must come out on every architecture.
func TestBits(t *testing.T) {
	s := random.New(42, 1)
	h := uint64(14695981039346656037)
	add := func(v uint64) { h = (h ^ v) * 1099511628211 }
	f := make([]float32, 8)
	for i := range 2000 {
		add(math.Float64bits(s.Normal()))
		add(math.Float64bits(s.Uniform(-3, 5)))
		add(uint64(s.IntN(i + 1)))
		s.FillUniform(f, -1, 3)
		for _, x := range f {
			add(uint64(math.Float32bits(x)))
		}
		s.FillNormal(f, 0.5, 3)
		for _, x := range f {
			add(uint64(math.Float32bits(x)))
		}
	}
	if want := uint64(0xbd601378e997ca25); h != want {
		t.Errorf("results hash to %#x, want %#x: the bits differ on this target", h, want)
	}
}

func BenchmarkUint32(b *testing.B) {
	s := random.New(1, 1)
	b.SetBytes(4)
	for b.Loop() {
		s.Uint32()
	}
}

func BenchmarkNormal(b *testing.B) {
	s := random.New(1, 1)
	for b.Loop() {
		s.Normal()
	}
}
