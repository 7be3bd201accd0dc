package idx

import (
	"errors"
	"io/fs"
	"strconv"

	"github.com/weft-ml/weft/core/data"
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
	images, imagesName, err := load(fsys, string(split)+"-images", "3")
	if err != nil && split == Test && errors.Is(err, fs.ErrNotExist) {
		images, imagesName, err = load(fsys, "test-images", "3")
	}
	if err != nil {
		return nil, err
	}
	labels, labelsName, err := load(fsys, string(split)+"-labels", "1")
	if err != nil && split == Test && errors.Is(err, fs.ErrNotExist) {
		labels, labelsName, err = load(fsys, "test-labels", "1")
	}
	if err != nil {
		return nil, err
	}
	return Samples(images, imagesName, labels, labelsName, classes)
}

// Samples joins an array of pictures [n, height, width] and one of labels [n], both of bytes, as Images does. The names stand in errors.
func Samples(images *Array, imagesName string, labels *Array, labelsName string, classes int) (*data.Bytes, error) {
	pixels, ok := images.Uint8s()
	if !ok || len(images.Dims) != 3 {
		return nil, failure(imagesName, 0, "expected uint8 images of 3 dimensions, got "+describe(images))
	}
	classOf, ok := labels.Uint8s()
	if !ok || len(labels.Dims) != 1 {
		return nil, failure(labelsName, 0, "expected uint8 labels of 1 dimension, got "+describe(labels))
	}
	if images.Dims[0] != labels.Dims[0] {
		return nil, failure(labelsName, 4, "there are "+strconv.Itoa(labels.Dims[0])+" labels for the "+strconv.Itoa(images.Dims[0])+
			" images of "+imagesName+": the files do not belong together")
	}
	if len(pixels) == 0 {
		return nil, failure(imagesName, 4, "there are no images in the file")
	}
	out := make([]int64, len(classOf))
	for i, l := range classOf {
		out[i] = int64(l)
		classes = max(classes, int(l)+1)
	}
	return data.NewBytes(data.Spec{Shape: []int{1, images.Dims[1], images.Dims[2]}, Classes: classes}, pixels, out, 0)
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

func describe(a *Array) string {
	return a.Type.String() + " of " + strconv.Itoa(len(a.Dims)) + " dimensions"
}
