package wire_test

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weft-ml/weft/core/onnx/wire"
)

// FuzzReader walks arbitrary bytes with this package and with the reference implementation: they must agree on
// every field and on whether the message is well formed.
func FuzzReader(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0x08, 0x96, 0x01, 0x12, 0x03, 'a', 'b', 'c', 0x1d, 1, 2, 3, 4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Add([]byte{0x0b, 0x08, 0x01, 0x13, 0x14, 0x0c})
	f.Add([]byte{0x12, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Add([]byte{0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := wire.NewReader(b, 0)
		rest := b
		var fd wire.Field
		for r.Next(&fd) {
			num, typ, n := protowire.ConsumeTag(rest)
			if n < 0 || int(num) != fd.Num || int(typ) != int(fd.Type) {
				t.Fatalf("field %d of type %d; the reference has %d of type %d (%d)", fd.Num, fd.Type, num, typ, n)
			}
			m := protowire.ConsumeFieldValue(num, typ, rest[n:])
			if m < 0 {
				t.Fatalf("field %d accepted; the reference says %v", num, protowire.ParseError(m))
			}
			switch typ {
			case protowire.VarintType:
				if v, _ := protowire.ConsumeVarint(rest[n:]); v != fd.U {
					t.Fatalf("varint %d, the reference has %d", fd.U, v)
				}
			case protowire.Fixed32Type:
				if v, _ := protowire.ConsumeFixed32(rest[n:]); uint64(v) != fd.U {
					t.Fatalf("fixed32 %d, the reference has %d", fd.U, v)
				}
			case protowire.Fixed64Type:
				if v, _ := protowire.ConsumeFixed64(rest[n:]); v != fd.U {
					t.Fatalf("fixed64 %d, the reference has %d", fd.U, v)
				}
			case protowire.BytesType:
				if v, _ := protowire.ConsumeBytes(rest[n:]); !bytes.Equal(v, fd.B) || !bytes.Equal(b[fd.Off:fd.Off+len(fd.B)], v) {
					t.Fatalf("bytes %x, the reference has %x", fd.B, v)
				}
			case protowire.StartGroupType:
				if v, _ := protowire.ConsumeGroup(num, rest[n:]); !bytes.Equal(v, fd.B) {
					t.Fatalf("group %x, the reference has %x", fd.B, v)
				}
			}
			rest = rest[n+m:]
		}
		if r.Err() == nil {
			if len(rest) != 0 {
				t.Fatalf("stopped %d bytes before the end without an error", len(rest))
			}
			return
		}
		num, _, n := protowire.ConsumeField(rest)
		if n >= 0 && num <= wire.MaxNumber {
			// The reference checks the numbers of fields in groups less strictly than the format asks.
			if _, typ, k := protowire.ConsumeTag(rest); k > 0 && typ == protowire.StartGroupType {
				return
			}
			t.Fatalf("%v, but the reference reads field %d", r.Err(), num)
		}
	})
}

func TestWriter(t *testing.T) {
	write := func(w *wire.Writer) {
		w.Int(1, 300)
		w.Int(2, 0) // left out
		w.Str(3, "abc")
		w.Ints(4, []int64{1, -1, 1 << 40})
		w.F32(5, 1.5)
		w.F32s(6, []float32{0, -2})
		w.Message(7, func(w *wire.Writer) {
			w.RepeatedInt(1, 0)
			w.Message(2, func(w *wire.Writer) { w.Payload(1, bytes.Repeat([]byte{7}, 40000)) })
		})
	}
	var want []byte
	want = protowire.AppendVarint(protowire.AppendTag(want, 1, protowire.VarintType), 300)
	want = protowire.AppendString(protowire.AppendTag(want, 3, protowire.BytesType), "abc")
	var p []byte
	for _, v := range []int64{1, -1, 1 << 40} {
		p = protowire.AppendVarint(p, uint64(v))
	}
	want = protowire.AppendBytes(protowire.AppendTag(want, 4, protowire.BytesType), p)
	want = protowire.AppendFixed32(protowire.AppendTag(want, 5, protowire.Fixed32Type), 0x3fc00000)
	p = protowire.AppendFixed32(protowire.AppendFixed32(nil, 0), 0xc0000000)
	want = protowire.AppendBytes(protowire.AppendTag(want, 6, protowire.BytesType), p)
	inner := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), bytes.Repeat([]byte{7}, 40000))
	p = protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 0)
	p = protowire.AppendBytes(protowire.AppendTag(p, 2, protowire.BytesType), inner)
	want = protowire.AppendBytes(protowire.AppendTag(want, 7, protowire.BytesType), p)

	w := wire.NewWriter(nil)
	write(w)
	if !bytes.Equal(w.Bytes(), want) || w.Len() != len(want) {
		t.Errorf("in memory: %d bytes differ from the reference's %d", w.Len(), len(want))
	}
	var buf bytes.Buffer
	w = wire.NewWriter(&buf)
	write(w)
	if err := w.Flush(); err != nil || !bytes.Equal(buf.Bytes(), want) {
		t.Errorf("streamed: %v, %d bytes differ from the reference's %d", err, buf.Len(), len(want))
	}
	if n := wire.Count(write); n != len(want) {
		t.Errorf("counted %d bytes of %d", n, len(want))
	}
}
