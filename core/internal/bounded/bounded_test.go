package bounded_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/weft-ml/weft/core/internal/bounded"
)

func TestReadN(t *testing.T) {
	src := bytes.Repeat([]byte("0123456789"), 500000)
	for _, n := range []int64{0, 1, 9, 1 << 20, 1<<20 + 1, 5000000} {
		got, err := bounded.ReadN(bytes.NewReader(src), n)
		if err != nil || !bytes.Equal(got, src[:n]) {
			t.Errorf("ReadN(%d): %d bytes, %v", n, len(got), err)
		}
	}
	got, err := bounded.ReadN(strings.NewReader("abc"), 1<<40)
	if string(got) != "abc" || err != io.ErrUnexpectedEOF || cap(got) > 1<<20 {
		t.Errorf("short: %q, capacity %d, %v", got, cap(got), err)
	}
	if _, err := bounded.ReadN(strings.NewReader(""), 4); err != io.ErrUnexpectedEOF {
		t.Errorf("empty: %v", err)
	}
	broken := errors.New("broken")
	if _, err := bounded.ReadN(iotest.ErrReader(broken), 4); err != broken {
		t.Errorf("broken: %v", err)
	}
}

func TestAtEOF(t *testing.T) {
	if end, err := bounded.AtEOF(strings.NewReader("")); !end || err != nil {
		t.Error(end, err)
	}
	if end, err := bounded.AtEOF(strings.NewReader("x")); end || err != nil {
		t.Error(end, err)
	}
	broken := errors.New("broken")
	if _, err := bounded.AtEOF(iotest.ErrReader(broken)); err != broken {
		t.Error(err)
	}
}
