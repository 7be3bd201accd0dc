package main

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/data/csv"
	"github.com/weft-ml/weft/core/data/digits"
	"github.com/weft-ml/weft/core/data/idx"
	"github.com/weft-ml/weft/core/data/imagefolder"
)

// dataFlags are the options that say where samples come from and how they are read.
type dataFlags struct {
	path   string
	size   int    // of images in folders
	rgb    bool   // of images in folders
	invert bool   // of images in folders
	label  string // column of a CSV file
	// missing says what becomes of empty cells of a CSV file: "error", "drop" or "fill".
	missing string
	classes int // 0: as many as the labels ask for
}

// heldOut is the part of data without a test set of its own that is kept for testing.
const heldOut = 0.1

// splits is a data set in two parts.
type splits struct {
	kind        string // "built-in digits", "IDX folder", ...
	train, test data.Source
	note        string // what was decided for the user
}

// digitsTest is the size of the built-in digits' test set.
const digitsTest = 10000

// open finds out what is at the path. shape, when not nil, is what a model takes: [C H W]; classes is 0 when unknown.
func (d dataFlags) open(seed uint64, shape []int, classes int) (*splits, error) {
	s, err := d.find(seed, shape, max(classes, d.classes))
	if err != nil {
		return nil, err
	}
	if s.train != nil && s.test != nil {
		if a, b := s.train.Spec(), s.test.Spec(); !slices.Equal(a.Shape, b.Shape) || a.Classes != b.Classes {
			return nil, fmt.Errorf("--data %s: training samples are %v of %d classes, test samples %v of %d classes; both parts must be of one kind",
				d.path, a.Shape, a.Classes, b.Shape, b.Classes)
		}
	}
	for _, src := range []data.Source{s.train, s.test} {
		if src != nil && d.classes > 0 && src.Spec().Classes > d.classes {
			return nil, fmt.Errorf("--data %s has labels up to %d, out of the range of --classes %d", d.path, src.Spec().Classes-1, d.classes)
		}
	}
	if classes == 0 && d.classes == 0 && s.train != nil {
		return s, checkLabels(d.path, s.train)
	}
	return s, nil
}

// checkLabels finds labels out of range where nothing says how many classes there are: a class that no sample has, below the
// highest label. Class 0 may lack samples, as in sets that count from 1.
func checkLabels(path string, src data.Source) error {
	spec := src.Spec()
	if spec.Names != nil {
		return nil // the classes are names that occur
	}
	seen, highest := make([]bool, spec.Classes), 0
	labels, err := data.Labels(src)
	if err != nil {
		return err
	}
	for i, l := range labels {
		seen[l] = true
		if l > labels[highest] {
			highest = i
		}
	}
	for c := 1; c < len(seen); c++ {
		if !seen[c] {
			return fmt.Errorf("--data %s: training sample %d has label %d, but no sample has label %d: is the label out of range? Correct it, or say with --classes how many classes there are",
				path, highest, labels[highest], c)
		}
	}
	return nil
}

func (d dataFlags) find(seed uint64, shape []int, classes int) (*splits, error) {
	if d.path == "" {
		return &splits{kind: "built-in digits", train: digits.New(digits.Options{Seed: seed}),
			test: digits.New(digits.Options{Seed: seed, Samples: digitsTest, Test: true})}, nil
	}
	st, err := os.Stat(d.path)
	if err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	if !st.IsDir() {
		if e := strings.ToLower(filepath.Ext(d.path)); e != ".csv" && e != ".tsv" {
			return nil, fmt.Errorf("--data %s: a file must be a .csv; IDX and image data are given as the folder they lie in", d.path)
		}
		return d.openCSV(d.path, "", shape)
	}
	fsys := os.DirFS(d.path)
	switch {
	case idx.Has(fsys, idx.Train) || idx.Has(fsys, idx.Test):
		return openIDX(fsys, d.path, classes)
	case exists(fsys, "train.csv"):
		test := ""
		if exists(fsys, "test.csv") {
			test = filepath.Join(d.path, "test.csv")
		}
		return d.openCSV(filepath.Join(d.path, "train.csv"), test, shape)
	}
	return d.openImages(fsys, shape)
}

func exists(fsys fs.FS, name string) bool {
	_, err := fs.Stat(fsys, name)
	return err == nil
}

func openIDX(fsys fs.FS, path string, classes int) (*splits, error) {
	s := &splits{kind: "IDX folder"}
	if idx.Has(fsys, idx.Train) {
		train, err := idx.Images(fsys, idx.Train, classes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		s.train = train
		classes = max(classes, train.Spec().Classes)
	}
	if idx.Has(fsys, idx.Test) {
		test, err := idx.Images(fsys, idx.Test, classes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		s.test = test
	}
	return s.holdOut()
}

// holdOut keeps a tenth of the training samples for testing when there is no test set.
func (s *splits) holdOut() (*splits, error) {
	if s.test != nil || s.train == nil {
		return s, nil
	}
	train, test, err := data.Split(s.train, heldOut, data.SplitOptions{Stratified: s.train.Spec().Classes > 0})
	if err != nil {
		return nil, err
	}
	s.note = fmt.Sprintf("no test set: %d of %d samples are kept for testing", test.Len(), s.train.Len())
	s.train, s.test = train, test
	return s, nil
}

func (d dataFlags) openImages(fsys fs.FS, shape []int) (*splits, error) {
	size, rgb := d.size, d.rgb
	opt := imagefolder.Options{Width: size, Height: size, Gray: !rgb, Invert: d.invert}
	if len(shape) == 3 {
		opt.Gray, opt.Height, opt.Width = shape[0] == 1, shape[1], shape[2]
	}
	load := func(sub string) (data.Source, error) {
		f := fsys
		if sub != "" {
			var err error
			if f, err = fs.Sub(fsys, sub); err != nil {
				return nil, err
			}
		}
		folder, err := imagefolder.Open(f, opt)
		if errors.Is(err, imagefolder.ErrNoImages) && sub == "" { // whatever the folder was meant to be
			return nil, fmt.Errorf("--data %s: the folder has no IDX files (train-images-idx3-ubyte, plain or .gz), no train.csv and no sub-folders of .png or .jpg, one for each class", d.path)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(d.path, sub), err)
		}
		opt.Classes = folder.Spec().Names
		src, err := folder.InMemory()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(d.path, sub), err)
		}
		return src, nil
	}
	s := &splits{kind: "image folder"}
	var err error
	if !exists(fsys, "train") {
		if s.train, err = load(""); err != nil {
			return nil, err
		}
		return s.holdOut()
	}
	if s.train, err = load("train"); err != nil {
		return nil, err
	}
	if exists(fsys, "test") {
		if s.test, err = load("test"); err != nil {
			return nil, err
		}
	}
	return s.holdOut()
}

func (d dataFlags) openCSV(trainPath, testPath string, shape []int) (*splits, error) {
	read := func(path string, opt csv.Options) (*csv.Table, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return csv.Read(f, path, opt)
	}
	opt := csv.Options{Label: d.label, Shape: shape}
	switch d.missing {
	case "", "error":
	case "drop":
		opt.Missing = csv.MissingDrop
	case "fill":
		opt.Missing = csv.MissingFill
	default:
		return nil, usagef("--missing must be error, drop or fill, not %q", d.missing)
	}
	if opt.Label == "" {
		opt.Label = labelColumn(trainPath)
	}
	if shape == nil {
		opt.Shape = d.csvShape(trainPath)
	}
	t, err := read(trainPath, opt)
	if err != nil {
		if strings.Contains(err.Error(), "missing values") {
			return nil, fmt.Errorf("%w (--missing drop, --missing fill)", err)
		}
		return nil, err
	}
	s := &splits{kind: "CSV file"}
	scale := pixelScale(t)
	s.train, err = scaled(t, scale)
	if err != nil {
		return nil, err
	}
	if scale != 1 {
		s.note = "values of 0 to 255 are divided by 255"
	}
	if testPath != "" {
		opt.Schema = &t.Schema
		test, err := read(testPath, opt)
		if err != nil {
			return nil, err
		}
		if s.test, err = scaled(test, scale); err != nil {
			return nil, err
		}
		return s, nil
	}
	note := s.note
	if s, err = s.holdOut(); err == nil && note != "" {
		s.note = note + "; " + s.note
	}
	return s, err
}

// labelColumn is the column named label, class or target when the header has one, else the first, as in the CSV forms of MNIST.
func labelColumn(path string) string {
	line, _ := firstLine(path)
	for _, name := range strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ';' || r == '\t' }) {
		name = strings.Trim(strings.TrimSpace(name), `"`)
		switch strings.ToLower(name) {
		case "label", "class", "target", "species":
			return name
		}
	}
	return "0"
}

// csvShape is [1 s s] when the columns beside the label are the pixels of a square image of at least 8x8.
func (d dataFlags) csvShape(path string) []int {
	line, _ := firstLine(path)
	n := len(strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ';' || r == '\t' })) - 1
	s := int(math.Sqrt(float64(n)))
	if s >= 8 && s*s == n {
		return []int{1, s, s}
	}
	return nil
}

// maxLine bounds the first line of a table, which is read ahead.
const maxLine = 1 << 20

func firstLine(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	buf := make([]byte, maxLine)
	n, _ := f.Read(buf)
	line, _, _ := strings.Cut(string(buf[:n]), "\n")
	return strings.TrimSuffix(line, "\r"), nil
}

// pixelScale is 1/255 when all values of an image table are whole numbers of 0 to 255.
func pixelScale(t *csv.Table) float32 {
	if len(t.Spec().Shape) != 3 {
		return 1
	}
	top := float32(0)
	for _, v := range t.X {
		if v < 0 || v > 255 || v != float32(int(v)) {
			return 1
		}
		top = max(top, v)
	}
	if top <= 1 {
		return 1
	}
	return 1.0 / 255
}

func scaled(t *csv.Table, scale float32) (data.Source, error) {
	if scale == 1 {
		return t.Memory, nil
	}
	b := make([]byte, len(t.X))
	for i, v := range t.X {
		b[i] = byte(max(0, min(v, 255)))
	}
	return data.NewBytes(t.Spec(), b, t.Labels, 0)
}

// fingerprint identifies the samples of a source, so that a run is not resumed on other data.
func fingerprint(src data.Source) (string, error) {
	spec := src.Spec()
	h := crc32.NewIEEE()
	fmt.Fprintf(h, "%v %d %d %d", spec.Shape, spec.Classes, spec.Targets, src.Len())
	x, t := make([]float32, spec.Size()), make([]float32, spec.Targets)
	const probes = 64
	for k := range min(probes, src.Len()) {
		label, err := src.Read(0, k*src.Len()/min(probes, src.Len()), x, t)
		if err != nil {
			return "", err
		}
		fmt.Fprint(h, label, x, t)
	}
	return fmt.Sprintf("%d samples, %08x", src.Len(), h.Sum32()), nil
}
