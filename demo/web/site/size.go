package site

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Size is the weight of one file of a built page.
type Size struct {
	Name              string
	Raw, Gzip, Brotli int64 // bytes; Brotli is 0 where it was built without Node
	Fetched           bool  // by a browser with every feature
}

// Sizes returns the weights of the page in the folder, the largest first.
func Sizes(out string) ([]Size, error) {
	entries, err := os.ReadDir(out)
	if err != nil {
		return nil, err
	}
	var sizes []Size
	for _, e := range entries {
		if !slices.Contains(compressible, filepath.Ext(e.Name())) {
			continue
		}
		s := Size{Name: e.Name(), Fetched: !strings.HasPrefix(e.Name(), "kernels-simd128")}
		for suffix, n := range map[string]*int64{"": &s.Raw, ".gz": &s.Gzip, ".br": &s.Brotli} {
			if info, err := os.Stat(filepath.Join(out, e.Name()+suffix)); err == nil {
				*n = info.Size()
			}
		}
		sizes = append(sizes, s)
	}
	slices.SortFunc(sizes, func(a, b Size) int { return int(b.Raw - a.Raw) })
	return sizes, nil
}
