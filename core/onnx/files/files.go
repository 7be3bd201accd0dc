// Package files reads tensors that ONNX models store outside the model file, from a folder.
package files

import (
	"errors"
	"io"
	"io/fs"
	"strconv"

	"github.com/weft-ml/weft/core/tensor"
)

// In returns what onnx.DecodeOptions.External wants for a model that lies in a folder.
func In(fsys fs.FS) func(location string, offset, length int64) ([]byte, error) {
	return func(location string, offset, length int64) ([]byte, error) {
		return readRange(fsys, location, offset, int(length))
	}
}

func readRange(fsys fs.FS, name string, offset int64, n int) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if offset > st.Size() || int64(n) > st.Size()-offset {
		return nil, errors.New("the file has " + strconv.FormatInt(st.Size(), 10) + " bytes, " + strconv.Itoa(n) + " at " + strconv.FormatInt(offset, 10) + " are needed")
	}
	b := tensor.New(tensor.Uint8, n).Bytes() // aligned for every element type
	if ra, ok := f.(io.ReaderAt); ok {
		k, err := ra.ReadAt(b, offset)
		if k == n {
			err = nil // io.EOF beside the last byte
		}
		return b, err
	}
	if s, ok := f.(io.Seeker); ok {
		_, err = s.Seek(offset, io.SeekStart)
	} else {
		_, err = io.CopyN(io.Discard, f, offset)
	}
	if err == nil {
		_, err = io.ReadFull(f, b)
	}
	return b, err
}
