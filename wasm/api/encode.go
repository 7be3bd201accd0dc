package api

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/weft-ml/weft/core/metric"
	"github.com/weft-ml/weft/core/tensor"
)

func itoa(n int) string { return strconv.Itoa(n) }

// writer builds a message. Lists and maps are written with their count patched in when they end.
type writer struct {
	b []byte
}

func (w *writer) reset() { w.b = w.b[:0] }

func (w *writer) null() { w.b = append(w.b, tagNull) }
func (w *writer) number(v float64) {
	w.b = append(w.b, tagNumber)
	w.b = binary.LittleEndian.AppendUint64(w.b, math.Float64bits(v))
}
func (w *writer) int(v int) { w.number(float64(v)) }

func (w *writer) bool(v bool) {
	if v {
		w.b = append(w.b, tagTrue)
	} else {
		w.b = append(w.b, tagFalse)
	}
}

func (w *writer) str(s string) {
	w.b = append(w.b, tagString)
	w.text(s)
}

func (w *writer) text(s string) {
	w.b = binary.LittleEndian.AppendUint32(w.b, uint32(len(s)))
	w.b = append(w.b, s...)
}

// list writes a list of n values, which the caller writes next.
func (w *writer) list(n int) {
	w.b = append(w.b, tagList)
	w.b = binary.LittleEndian.AppendUint32(w.b, uint32(n))
}

// fields writes a map of n entries, each of which the caller begins with key.
func (w *writer) fields(n int) {
	w.b = append(w.b, tagMap)
	w.b = binary.LittleEndian.AppendUint32(w.b, uint32(n))
}

func (w *writer) key(s string) { w.text(s) }

// open writes a list whose length is not known yet and returns where it must be filled in by close.
func (w *writer) open() int {
	w.list(0)
	return len(w.b) - 4
}

func (w *writer) close(at, n int) { binary.LittleEndian.PutUint32(w.b[at:], uint32(n)) }

func (w *writer) shape(s []int) {
	w.list(len(s))
	for _, d := range s {
		if d < 0 {
			w.null()
		} else {
			w.int(d)
		}
	}
}

// tensor writes the elements of a tensor as an array.
func (w *writer) tensor(t *tensor.Tensor) { w.arrayOf(t.DType(), t.Shape(), t.Contiguous().Bytes()) }

// arrayOf writes an array.
func (w *writer) arrayOf(d tensor.DType, shape []int, b []byte) {
	w.b = append(w.b, tagArray, byte(d))
	w.b = binary.LittleEndian.AppendUint32(w.b, uint32(len(shape)))
	for _, n := range shape {
		w.b = binary.LittleEndian.AppendUint32(w.b, uint32(n))
	}
	w.b = binary.LittleEndian.AppendUint32(w.b, uint32(len(b)))
	for len(w.b)%8 != 0 {
		w.b = append(w.b, 0)
	}
	w.b = append(w.b, b...)
}

// matrix writes a confusion matrix as int32 [classes, classes]: rows are true classes.
func (w *writer) matrix(m *metric.Confusion) {
	c := m.Classes()
	t := tensor.New(tensor.Int32, c, c)
	d := tensor.Data[int32](t)
	for i := range c {
		for k := range c {
			d[i*c+k] = int32(m.At(i, k))
		}
	}
	w.tensor(t)
}

func (w *writer) bytes(b []byte) { w.arrayOf(tensor.Uint8, []int{len(b)}, b) }
