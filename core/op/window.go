package op

import (
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// failFunc is the Fail method of an inference or evaluation context.
type failFunc func(parts ...any)

// failOf returns a failFunc for code that has only the node.
func failOf(n *graph.Node) failFunc {
	return func(parts ...any) { tensor.Fail(n.Describe(), parts...) }
}

// window is the geometry of a kernel that slides over the spatial dimensions of an image, as
// convolutions and pools share it. Output position o reads input position o*stride + k*dilation - begin for
// every tap k; dimensions of in and out may be unknown during inference.
type window struct {
	kernel, stride, dilation []int
	begin, end               []int // padding
	in, out                  []int // spatial sizes
}

// extent returns how many input positions the kernel spans along dimension i.
func (w *window) extent(i int) int { return (w.kernel[i]-1)*w.dilation[i] + 1 }

// spatialAttr returns an ints attribute with one entry for each of r spatial dimensions.
func spatialAttr(n *graph.Node, name string, r, missing, least int, fail failFunc) []int {
	v := n.Ints(name)
	if len(v) == 0 {
		v = make([]int, r)
		for i := range v {
			v[i] = missing
		}
	}
	if len(v) != r {
		fail("attribute ", strconv.Quote(name), " has ", len(v), " entries for ", r, " spatial dimensions")
	}
	for _, x := range v {
		if x < least || x > 1<<30 {
			fail("attribute ", strconv.Quote(name), " has the entry ", x, "; it must be at least ", least)
		}
	}
	return v
}

// windowAttrs reads strides, dilations and pads; the kernel comes from the caller.
func windowAttrs(n *graph.Node, kernel, in []int, fail failFunc) *window {
	r := len(in)
	w := &window{kernel: kernel, in: in, out: make([]int, r)}
	w.stride = spatialAttr(n, "strides", r, 1, 1, fail)
	w.dilation = spatialAttr(n, "dilations", r, 1, 1, fail)
	w.begin, w.end = make([]int, r), make([]int, r)
	if auto := n.Str("auto_pad"); auto == "" || auto == "NOTSET" {
		if p := n.Ints("pads"); len(p) != 0 {
			if len(p) != 2*r {
				fail("attribute \"pads\" has ", len(p), " entries; ", r, " spatial dimensions need ", 2*r)
			}
			for _, x := range p {
				if x < 0 || x > 1<<30 {
					fail("attribute \"pads\" has the entry ", x, "; it must not be negative")
				}
			}
			copy(w.begin, p[:r])
			copy(w.end, p[r:])
		}
	}
	return w
}

// slidingWindow returns the geometry of a convolution or pool over an image with spatial sizes in. ceil rounds the
// output size up, without windows that would start in the padding at the end.
func slidingWindow(n *graph.Node, kernel, in []int, ceil bool, fail failFunc) *window {
	w := windowAttrs(n, kernel, in, fail)
	auto := n.Str("auto_pad")
	for i, d := range in {
		e, s := w.extent(i), w.stride[i]
		switch auto {
		case "SAME_UPPER", "SAME_LOWER":
			if d < 0 {
				w.out[i] = graph.Unknown
				if s == 1 {
					w.out[i] = d
				}
				continue
			}
			w.out[i] = (d + s - 1) / s
			pad := max((w.out[i]-1)*s+e-d, 0)
			w.begin[i], w.end[i] = pad/2, pad-pad/2
			if auto == "SAME_LOWER" {
				w.begin[i], w.end[i] = w.end[i], w.begin[i]
			}
			continue
		case "", "NOTSET", "VALID":
		default:
			fail("attribute \"auto_pad\" is ", strconv.Quote(auto), "; it can be NOTSET, VALID, SAME_UPPER or SAME_LOWER")
		}
		if d < 0 {
			w.out[i] = graph.Unknown
			if s == 1 && w.begin[i]+w.end[i] == e-1 {
				w.out[i] = d
			}
			continue
		}
		room := d + w.begin[i] + w.end[i] - e
		if room < 0 {
			fail("the kernel spans ", e, " positions, but spatial dimension ", i, " has ", d, " and ", w.begin[i]+w.end[i], " of padding")
		}
		w.out[i] = room/s + 1
		if ceil {
			w.out[i] = (room+s-1)/s + 1
			if (w.out[i]-1)*s >= d+w.begin[i] {
				w.out[i]--
			}
		}
	}
	return w
}

// taps returns for every output position, row-major, and every tap of the kernel, row-major, the
// offset of the input position that it reads, -1 where that is padding.
func (w *window) taps() (offsets []int, positions, taps int) {
	positions, taps = tensor.Size(w.out), tensor.Size(w.kernel)
	offsets = make([]int, positions*taps)
	o, k := make([]int, len(w.out)), make([]int, len(w.out))
	for p := range positions {
		for t := range taps {
			at := 0
			for i := range k {
				x := o[i]*w.stride[i] + k[i]*w.dilation[i] - w.begin[i]
				if x < 0 || x >= w.in[i] {
					at = -1
					break
				}
				at = at*w.in[i] + x
			}
			offsets[p*taps+t] = at
			next(k, w.kernel)
		}
		next(o, w.out)
	}
	return offsets, positions, taps
}

// next advances a row-major index over a shape.
func next(index, shape []int) {
	for a := len(shape) - 1; a >= 0; a-- {
		index[a]++
		if index[a] < shape[a] {
			return
		}
		index[a] = 0
	}
}
