// Package npz reads NumPy's .npz archives: zip files of .npy arrays, stored or deflated, as
// numpy.savez and numpy.savez_compressed write them.
package npz

import (
	"archive/zip"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/weft-ml/weft/core/data/npy"
)

// Options change how an archive is read. The zero value suits every real file.
type Options struct {
	MaxBytes int64 // largest size of one array's elements; 0 means npy.DefaultMaxBytes
}

// maxEntries bounds the arrays of an archive.
const maxEntries = 1 << 16

// Archive is an open archive. Arrays are read when they are asked for.
type Archive struct {
	name  string
	files map[string]*zip.File
	names []string
	opt   Options
}

// Open reads the directory of an archive of the given size. name stands in errors.
func Open(r io.ReaderAt, size int64, name string, opt Options) (*Archive, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, &openError{"weft: npz: " + name + ": not a complete zip archive: " + err.Error() + "; save it with numpy.savez", err}
	}
	if len(z.File) > maxEntries {
		return nil, errors.New("weft: npz: " + name + ": " + strconv.Itoa(len(z.File)) + " entries, at most " + strconv.Itoa(maxEntries) + " are allowed")
	}
	a := &Archive{name: name, files: map[string]*zip.File{}, opt: opt}
	for _, f := range z.File {
		n, isArray := strings.CutSuffix(f.Name, ".npy")
		if !isArray {
			continue
		}
		if a.files[n] != nil {
			return nil, errors.New("weft: npz: " + name + ": the array " + strconv.Quote(n) + " is there twice")
		}
		a.files[n] = f
		a.names = append(a.names, n)
	}
	if len(a.names) == 0 {
		return nil, errors.New("weft: npz: " + name + ": no entry of the archive is a .npy array")
	}
	return a, nil
}

// Names returns the names of the arrays in the order of the archive.
func (a *Archive) Names() []string { return slices.Clone(a.names) }

// Array reads one array; its checksum is verified.
func (a *Archive) Array(name string) (*npy.Array, error) {
	f := a.files[name]
	if f == nil {
		list := strings.Join(a.names[:min(20, len(a.names))], ", ")
		return nil, errors.New("weft: npz: " + a.name + ": no array " + strconv.Quote(name) + ": there are " + list)
	}
	r, err := f.Open()
	if err != nil {
		return nil, &openError{"weft: npz: " + a.name + ": array " + strconv.Quote(name) + ": " + err.Error(), err}
	}
	defer r.Close()
	return npy.ReadAll(r, a.name+"("+f.Name+")", npy.Options{MaxBytes: a.opt.MaxBytes})
}

// openError keeps the cause for errors.Is.
type openError struct {
	text string
	err  error
}

func (e *openError) Error() string { return e.text }
func (e *openError) Unwrap() error { return e.err }
