package oip

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"testing"
)

// TestPowers works the table out anew with exact numbers.
func TestPowers(t *testing.T) {
	for e := minPower; e <= maxPower; e++ {
		num, den := big.NewInt(1), big.NewInt(1)
		p := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(e, -e))), nil)
		if e >= 0 {
			num = p
		} else {
			den = p
		}
		shift := 63 - e*217706>>16
		if shift >= 0 {
			num = new(big.Int).Lsh(num, uint(shift))
		} else {
			den = new(big.Int).Lsh(den, uint(-shift))
		}
		if want := new(big.Int).Quo(num, den); want.BitLen() != 64 || want.Uint64() != powers[e-minPower] {
			t.Errorf("10^%d: table has %#x, want %#x", e, powers[e-minPower], want)
		}
	}
}

// checkNumber compares the parsers with strconv and encoding/json on any text.
func checkNumber(t *testing.T, s string) {
	t.Helper()
	isNumber := json.Valid([]byte(s)) && s[0] <= '9' && s[0] >= '-' && s[len(s)-1] > ' '
	b := []byte(s + ",")
	v32, n32 := parse32(b, 0)
	v64, n64 := parse64(b, 0)
	w32, err32 := strconv.ParseFloat(s, 32)
	w64, err64 := strconv.ParseFloat(s, 64)
	if got, want := n32 == len(s), isNumber && err32 == nil; got != want {
		t.Errorf("%q: parse32 reads all: %v, want %v", s, got, want)
	} else if want && math.Float32bits(v32) != math.Float32bits(float32(w32)) {
		t.Errorf("%q: parse32 gives %v (%#x), strconv %v (%#x)", s, v32, math.Float32bits(v32), float32(w32), math.Float32bits(float32(w32)))
	}
	if got, want := n64 == len(s), isNumber && err64 == nil; got != want {
		t.Errorf("%q: parse64 reads all: %v, want %v", s, got, want)
	} else if want && math.Float64bits(v64) != math.Float64bits(w64) {
		t.Errorf("%q: parse64 gives %v, strconv %v", s, v64, w64)
	}
	mag, neg, n := parseInt(b, 0)
	wantInt := false
	var exact *big.Rat
	if isNumber && len(s) < 60 && (err64 == nil && (math.Abs(w64) > 1e-300 || w64 == 0)) {
		if exact, _ = new(big.Rat).SetString(s); exact == nil {
			return // an exponent beyond what big.Rat takes
		}
		wantInt = exact.IsInt() && new(big.Int).Abs(exact.Num()).IsUint64()
		if got := n == len(s); got != wantInt {
			t.Errorf("%q: parseInt reads all: %v, want %v", s, got, wantInt)
		} else if wantInt && (new(big.Int).Abs(exact.Num()).Uint64() != mag || neg != (s[0] == '-')) {
			t.Errorf("%q: parseInt gives %v %d", s, neg, mag)
		}
	}
}

var numbers = []string{"0", "-0", "0.0", "-0.0e5", "1", "-1", "3.0", "3e2", "30e-1", "1.5", "15e-1", "16777217", "16777217.0", "16777216.99999999", "16777217.0000000001",
	"33554431", "33554433", "33554435", "3.4028235e38", "3.4028235677973366e38", "3.4028235677973365e38", "3.4028236e38", "3.5e38", "1e39", "1.7976931348623157e308", "1.8e308", "1e309",
	"1.17549435e-38", "1.1754943e-38", "1.1754942e-38", "1e-45", "7.1e-46", "7.0e-46", "1e-46", "1e-400", "0e999999999999", "1e99999999999", "1e-99999999999",
	"0.10000000149011612", "0.1", "0.2", "0.3", "123456.789", "18446744073709551615", "18446744073709551616", "18446744073709551615.0", "1844674407370955161500e-2",
	"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "9007199254740993", "9007199254740993.0", "9007199254740992.5", "10000000000000000000000",
	"0.0000000000000000000000000000123456789", "0.000000000000000000012345678901234567891", "12345678901234567890123456789.12345678901234567890", "00", "01", "-", "-a", ".5", "5.", "1.e5", "1e", "1e+", "1e-", "+1", "1 ", "0x10", "1_0", "Inf", "NaN", "1.0.0", "12345678.12345678", "0.12345678a"}

func TestNumbers(t *testing.T) {
	for _, s := range numbers {
		checkNumber(t, s)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		f := math.Float32frombits(r.Uint32())
		if f != f || math.IsInf(float64(f), 0) {
			continue
		}
		checkNumber(t, strconv.FormatFloat(float64(f), 'g', -1, 32))
		checkNumber(t, strconv.FormatFloat(float64(f), 'f', -1, 64))
		// The middle between two float32, and what lies just beside it.
		up := math.Nextafter32(f, float32(math.Inf(1)))
		mid := (float64(f) + float64(up)) / 2
		if math.IsInf(mid, 0) {
			continue
		}
		for _, m := range []float64{mid, math.Nextafter(mid, 0), math.Nextafter(mid, 1e300)} {
			checkNumber(t, strconv.FormatFloat(m, 'e', -1, 64))
		}
		checkNumber(t, strconv.FormatFloat(mid, 'e', r.IntN(25), 64))
		checkNumber(t, strconv.FormatFloat(r.NormFloat64(), 'f', r.IntN(22), 64))
		checkNumber(t, strconv.FormatFloat(math.Float64frombits(r.Uint64()), 'e', r.IntN(22), 64))
		checkNumber(t, strconv.FormatUint(r.Uint64()>>r.IntN(64), 10)+"e"+strconv.Itoa(r.IntN(60)-30))
	}
}

func FuzzNumber(f *testing.F) {
	for _, s := range numbers {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if s != "" {
			checkNumber(t, s)
		}
	})
}
