package augment

import (
	"math"
	"strconv"
	"strings"

	"github.com/weft-ml/weft/core/tensor"
)

// parameter is one name of a specification.
type parameter struct {
	name  string
	limit float64
	whole bool
	set   func(o *Options, v float64)
}

var parameters = []parameter{
	{"shift", 4096, false, func(o *Options, v float64) { o.Shift = v }},
	{"rotate", 180, false, func(o *Options, v float64) { o.Rotate = v }},
	{"scale", 0.95, false, func(o *Options, v float64) { o.Scale = v }},
	{"shear", 60, false, func(o *Options, v float64) { o.Shear = v }},
	{"crop", 4096, true, func(o *Options, v float64) { o.Crop = int(v) }},
	{"fliph", 1, false, func(o *Options, v float64) { o.FlipH = v }},
	{"flipv", 1, false, func(o *Options, v float64) { o.FlipV = v }},
	{"elastic", 64, false, func(o *Options, v float64) { o.Elastic = v }},
	{"smooth", 64, false, func(o *Options, v float64) { o.Smooth = v }},
	{"noise", 1, false, func(o *Options, v float64) { o.Noise = v }},
	{"cutout", 4096, true, func(o *Options, v float64) { o.CutOut = int(v) }},
	{"mixup", 8, false, func(o *Options, v float64) { o.MixUp = v }},
}

// Names lists the names that Parse knows.
func Names() []string {
	out := make([]string, len(parameters))
	for i, p := range parameters {
		out[i] = p.name
	}
	return out
}

// Parse reads a specification of name=number parts, such as "shift=2,rotate=10,scale=0.1,elastic=2". The units are those of
// Options: pixels, degrees, parts, probabilities.
func Parse(spec string) (Options, error) {
	var o Options
	seen := map[string]bool{}
	for part := range strings.SplitSeq(spec, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		var p *parameter
		for i := range parameters {
			if parameters[i].name == name {
				p = &parameters[i]
			}
		}
		if p == nil {
			return o, tensor.Err("augment", strconv.Quote(name), " is not one of ", strings.Join(Names(), ", "))
		}
		if seen[name] {
			return o, tensor.Err("augment", strconv.Quote(name), " stands twice")
		}
		seen[name] = true
		v, err := strconv.ParseFloat(value, 64)
		if !ok || err != nil || !(v >= 0 && v <= p.limit) || (p.whole && v != math.Trunc(v)) {
			kind := "a number"
			if p.whole {
				kind = "a whole number"
			}
			return o, tensor.Err("augment", strconv.Quote(part), ": ", name, " takes ", kind, " of 0 to ", p.limit)
		}
		p.set(&o, v)
	}
	return o, nil
}
