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
	Raw, Gzip, Brotli int64  // bytes; Brotli is 0 where it was built without Node
	Fetched           bool   // before the first prediction, by a browser with every feature
	Always            bool   // by every browser, in the end
	Window            bool   // before the first frame of the window
	Note              string // when else it is fetched
}

// Sizes returns the weights of the page in the folder: what is fetched before the first prediction, then the rest, the largest first.
func Sizes(out string) ([]Size, error) {
	entries, err := os.ReadDir(out)
	if err != nil {
		return nil, err
	}
	page, err := os.ReadFile(filepath.Join(out, "index.html"))
	if err != nil {
		return nil, err
	}
	var sizes []Size
	for _, e := range entries {
		if !slices.Contains(compressible, filepath.Ext(e.Name())) {
			continue
		}
		s := Size{Name: e.Name()}
		for suffix, n := range map[string]*int64{"": &s.Raw, ".gz": &s.Gzip, ".br": &s.Brotli} {
			if info, err := os.Stat(filepath.Join(out, e.Name()+suffix)); err == nil {
				*n = info.Size()
			}
		}
		s.Fetched, s.Note = fetched(e.Name(), string(page))
		plain, _, _ := strings.Cut(e.Name(), ".")
		s.Window = plain == "window" || plain == "kernels-relaxed"
		s.Always = s.Fetched || s.Note == after || s.Note == later
		sizes = append(sizes, s)
	}
	slices.SortFunc(sizes, func(a, b Size) int {
		if a.Fetched != b.Fetched {
			if a.Fetched {
				return -1
			}
			return 1
		}
		return int(b.Raw - a.Raw)
	})
	return sizes, nil
}

// fetched says whether a file is fetched before the first prediction: what the page's source names, and the kernels.
func fetched(name, page string) (bool, string) {
	plain, _, _ := strings.Cut(name, ".")
	switch {
	case name == "index.html" || strings.Contains(page, name) || plain == "kernels-relaxed":
		return true, ""
	case plain == "weft" || plain == "worker" || plain == "lenet":
		return false, after
	case plain == "window":
		return false, AtWindow
	case plain == "writer":
		return false, "when a text is to be written"
	case plain == "weft-shared":
		return false, "with threads, in place of weft"
	case plain == "kernels-relaxed-shared":
		return false, "with threads"
	case strings.HasPrefix(plain, "kernels-"):
		return false, "in place of kernels-relaxed"
	}
	return false, later
}

// When files are fetched that the first prediction does not need.
const after, later = "right after it", "later"

// AtWindow is the note of files that only the page of the window fetches.
const AtWindow = "at /window"
