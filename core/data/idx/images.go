package idx

import (
	"errors"
	"io/fs"

	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/data/idx/raw"
)

// Split names one of the two parts that data sets of the MNIST family come in.
type Split string

// The parts of a data set, as their file names begin.
const (
	Train Split = "train"
	Test  Split = "t10k"
)

// Has reports whether a folder holds the images of a split.
func Has(fsys fs.FS, split Split) bool {
	_, err := find(fsys, string(split)+"-images", "3")
	return err == nil
}

// Images reads the images and labels of a split from a folder: <split>-images-idx3-ubyte and
// <split>-labels-idx1-ubyte, with or without .gz, with - or . before idx. For the Test split names
// that begin with "test" are taken too. Pixels become byte / 255; samples have the shape
// [1, height, width], and there are as many classes as the highest label asks for, at least
// classes.
func Images(fsys fs.FS, split Split, classes int) (*data.Bytes, error) {
	images, imagesName, err := either(fsys, split, "-images", "3")
	if err != nil {
		return nil, err
	}
	labels, labelsName, err := either(fsys, split, "-labels", "1")
	if err != nil {
		return nil, err
	}
	return raw.Samples(images, imagesName, labels, labelsName, classes)
}

// either loads the file of a split by its name or, for the test split, by the other one.
func either(fsys fs.FS, split Split, kind, rank string) (a *Array, name string, err error) {
	a, name, err = load(fsys, string(split)+kind, rank)
	if split == Test && errors.Is(err, fs.ErrNotExist) {
		if b, other, err := load(fsys, "test"+kind, rank); !errors.Is(err, fs.ErrNotExist) {
			return b, other, err
		}
	}
	return a, name, err
}

// find returns the name of the file of a stem, for example "train-images" and rank "3".
func find(fsys fs.FS, stem, rank string) (string, error) {
	for _, sep := range []string{"-", "."} {
		for _, ext := range []string{"", ".gz"} {
			name := stem + sep + "idx" + rank + "-ubyte" + ext
			if info, err := fs.Stat(fsys, name); err == nil && !info.IsDir() {
				return name, nil
			}
		}
	}
	return "", &fs.PathError{Op: "find", Path: stem + "-idx" + rank + "-ubyte[.gz]", Err: fs.ErrNotExist}
}

func load(fsys fs.FS, stem, rank string) (a *Array, name string, err error) {
	name, err = find(fsys, stem, rank)
	if err != nil {
		return nil, "", &readError{"weft: idx: no file " + stem + "-idx" + rank + "-ubyte[.gz] in the folder: give the folder that holds the IDX files", err}
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, "", &readError{"weft: idx: " + err.Error(), err}
	}
	defer f.Close()
	a, err = Read(f, name, Options{})
	return a, name, err
}
