// Package imagefolder reads labelled images from folders: one sub-folder for each class, with PNG
// or JPEG files of any size in it (and below it), resized to one size.
package imagefolder

import (
	"bytes"
	"errors"
	"image"
	_ "image/jpeg" // the formats that image.Decode knows
	_ "image/png"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/data/internal/resample"
)

// Options say how the images become samples. Width and Height must be given.
type Options struct {
	Width, Height int
	Gray          bool     // one channel of luma; otherwise red, green, blue
	Invert        bool     // 1 - v: dark ink on light paper becomes ink 1
	Classes       []string // the classes in order; nil takes the sub-folders, sorted. Other sub-folders are errors
	MaxPixels     int      // largest image; 0 means DefaultMaxPixels
	MaxBytes      int64    // largest file; 0 means DefaultMaxBytes
}

// The bounds on one image, unless Options say otherwise.
const (
	DefaultMaxPixels = 50_000_000
	DefaultMaxBytes  = 64 << 20
)

// maxFiles bounds the files of a folder tree.
const maxFiles = 50_000_000

// Folder is a Source that decodes images when they are read. Samples have the shape
// [1 or 3, Height, Width] and values in 0..1; transparent parts lie on white.
type Folder struct {
	fsys  fs.FS
	opt   Options
	files []file
	spec  data.Spec
}

type file struct {
	path  string
	class int32
}

// ErrNoImages is the error of a folder without sub-folders that have images.
var ErrNoImages = errors.New("weft: imagefolder: no .png, .jpg or .jpeg in any sub-folder: each class needs a sub-folder of images")

// Open lists the images of a folder in the order of their paths; it decodes none. Files whose name
// begins with a dot and files that are neither .png, .jpg nor .jpeg are passed over.
func Open(fsys fs.FS, opt Options) (*Folder, error) {
	if opt.Width < 1 || opt.Height < 1 || opt.Width > 1<<14 || opt.Height > 1<<14 {
		return nil, errors.New("weft: imagefolder: the size " + strconv.Itoa(opt.Width) + "x" + strconv.Itoa(opt.Height) + " is not within 1 to 16384")
	}
	if opt.MaxPixels <= 0 {
		opt.MaxPixels = DefaultMaxPixels
	}
	if opt.MaxBytes <= 0 {
		opt.MaxBytes = DefaultMaxBytes
	}
	top, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, &pathError{"weft: imagefolder: " + err.Error(), err}
	}
	f := &Folder{fsys: fsys, opt: opt}
	classes := opt.Classes
	for _, d := range top {
		if !d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			continue
		}
		if opt.Classes == nil {
			classes = append(classes, d.Name())
		} else if !slices.Contains(opt.Classes, d.Name()) {
			return nil, errors.New("weft: imagefolder: the sub-folder " + strconv.Quote(d.Name()) + " is none of the classes " + strings.Join(opt.Classes, ", "))
		}
	}
	for c, name := range classes {
		if err := f.list(name, int32(c)); err != nil {
			return nil, err
		}
	}
	if len(f.files) == 0 {
		return nil, ErrNoImages
	}
	f.spec = data.Spec{Shape: []int{3, opt.Height, opt.Width}, Classes: len(classes), Names: classes}
	if opt.Gray {
		f.spec.Shape[0] = 1
	}
	return f, nil
}

// list adds the images of one class.
func (f *Folder) list(dir string, class int32) error {
	err := fs.WalkDir(f.fsys, dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			if p == dir && errors.Is(err, fs.ErrNotExist) {
				return nil // a class without images
			}
			return err
		}
		if strings.HasPrefix(d.Name(), ".") && p != dir {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() || !isImage(p) {
			return nil
		}
		if len(f.files) == maxFiles {
			return errors.New("more than " + strconv.Itoa(maxFiles) + " images")
		}
		f.files = append(f.files, file{p, class})
		return nil
	})
	if err != nil {
		return &pathError{"weft: imagefolder: " + err.Error(), err}
	}
	return nil
}

func isImage(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".png", ".jpg", ".jpeg":
		return true
	}
	return false
}

// Len returns the number of images.
func (f *Folder) Len() int { return len(f.files) }

// Spec describes a sample.
func (f *Folder) Spec() data.Spec { return f.spec }

// Class returns the class of image i.
func (f *Folder) Class(i int) (int64, bool) { return int64(f.files[i].class), true }

// Path returns the path of image i.
func (f *Folder) Path(i int) string { return f.files[i].path }

// Read decodes image i.
func (f *Folder) Read(_, i int, x, _ []float32) (int64, error) {
	p := f.files[i].path
	r, err := f.fsys.Open(p)
	if err != nil {
		return 0, &pathError{"weft: imagefolder: " + err.Error(), err}
	}
	defer r.Close()
	img, err := decode(r, p, f.opt)
	if err != nil {
		return 0, err
	}
	Into(x, img, f.opt.Width, f.opt.Height, f.opt.Gray)
	if f.opt.Invert {
		for j, v := range x {
			x[j] = 1 - v
		}
	}
	return int64(f.files[i].class), nil
}

// InMemory decodes every image now and keeps it as bytes, for training of several epochs. Values
// are rounded to multiples of 1/255.
func (f *Folder) InMemory() (*data.Bytes, error) {
	size := f.spec.Size()
	pixels, labels := make([]byte, 0, size), make([]int64, len(f.files))
	x := make([]float32, size)
	for i := range f.files {
		class, err := f.Read(0, i, x, nil)
		if err != nil {
			return nil, err
		}
		labels[i] = class
		for _, v := range x {
			pixels = append(pixels, byte(float32(v*255)+0.5))
		}
	}
	return data.NewBytes(f.spec, pixels, labels, 0)
}

// decode reads an image after a look at its size.
func decode(r io.Reader, name string, opt Options) (image.Image, error) {
	b, err := io.ReadAll(io.LimitReader(r, opt.MaxBytes+1))
	if err != nil {
		return nil, &pathError{"weft: imagefolder: " + name + ": " + err.Error(), err}
	}
	if int64(len(b)) > opt.MaxBytes {
		return nil, errors.New("weft: imagefolder: " + name + ": the file is larger than " + strconv.FormatInt(opt.MaxBytes, 10) + " bytes")
	}
	img, err := DecodeBytes(b, opt.MaxPixels)
	if err != nil {
		return nil, &pathError{"weft: imagefolder: " + name + ": " + err.Error(), err}
	}
	return img, nil
}

// pathError keeps the cause for errors.Is.
type pathError struct {
	text string
	err  error
}

func (e *pathError) Error() string { return e.text }
func (e *pathError) Unwrap() error { return e.err }

// DecodeBytes decodes a PNG or JPEG of at most maxPixels pixels; the size is checked before memory
// for it is allocated.
func DecodeBytes(b []byte, maxPixels int) (image.Image, error) {
	c, _, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, errors.New("not a readable PNG or JPEG: " + err.Error())
	}
	if c.Width < 1 || c.Height < 1 || c.Width > maxPixels/c.Height {
		return nil, errors.New("the image has " + strconv.Itoa(c.Width) + "x" + strconv.Itoa(c.Height) + " pixels, at most " +
			strconv.Itoa(maxPixels) + " are allowed: scale it down first")
	}
	img, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, errors.New("broken image: " + err.Error())
	}
	return img, nil
}

// Into resizes an image to [1, height, width] luma (gray) or [3, height, width] red, green, blue in
// 0..1. Luma is 0.299 R + 0.587 G + 0.114 B; transparent parts lie on white.
func Into(x []float32, img image.Image, width, height int, gray bool) {
	b := img.Bounds()
	sw, sh := b.Dx(), b.Dy()
	planes := 3
	if gray {
		planes = 1
	}
	src := make([]float32, planes*sw*sh)
	for y := range sh {
		for xx := range sw {
			r, g, bl := onWhite(img, b.Min.X+xx, b.Min.Y+y)
			at := y*sw + xx
			if gray {
				src[at] = float32(0.299*r) + float32(0.587*g) + float32(0.114*bl)
			} else {
				src[at], src[sw*sh+at], src[2*sw*sh+at] = r, g, bl
			}
		}
	}
	for p := range planes {
		dst := x[p*width*height : (p+1)*width*height]
		resample.Plane(dst, width, height, src[p*sw*sh:(p+1)*sw*sh], sw, sh)
		for i, v := range dst {
			dst[i] = min(max(v, 0), 1)
		}
	}
}

// onWhite returns a pixel over white paper, each channel in 0..1.
func onWhite(img image.Image, x, y int) (r, g, b float32) {
	r16, g16, b16, a16 := img.At(x, y).RGBA() // multiplied with alpha
	paper := 0xffff - a16
	return float32(r16+paper) / 0xffff, float32(g16+paper) / 0xffff, float32(b16+paper) / 0xffff
}
