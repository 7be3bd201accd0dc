package data

import (
	"slices"
	"strconv"
)

// Concat is a Source that shows the samples of several one after the other.
type Concat struct {
	parts []Source
	ends  []int
	spec  Spec
}

// NewConcat joins sources of samples of one shape with the same kind of targets. The number of classes is the largest.
func NewConcat(parts ...Source) (*Concat, error) {
	if len(parts) == 0 {
		return nil, failure("NewConcat", "there is no source")
	}
	c := &Concat{parts: parts, spec: parts[0].Spec()}
	n := 0
	for i, p := range parts {
		s := p.Spec()
		if !slices.Equal(s.Shape, c.spec.Shape) || s.Targets != c.spec.Targets || (s.Classes == 0) != (c.spec.Classes == 0) {
			return nil, failure("NewConcat", "source "+strconv.Itoa(i)+" has samples "+shapeText(s.Shape)+" of "+strconv.Itoa(s.Classes)+" classes, the first "+
				shapeText(c.spec.Shape)+" of "+strconv.Itoa(c.spec.Classes))
		}
		if s.Classes > c.spec.Classes {
			c.spec.Classes, c.spec.Names = s.Classes, s.Names
		}
		n += p.Len()
		c.ends = append(c.ends, n)
	}
	return c, nil
}

// Len returns the number of samples of all sources.
func (c *Concat) Len() int { return c.ends[len(c.ends)-1] }

// Spec describes a sample.
func (c *Concat) Spec() Spec { return c.spec }

// part returns the source that has sample i, and its number there.
func (c *Concat) part(i int) (Source, int) {
	for k, end := range c.ends {
		if i < end {
			if k > 0 {
				i -= c.ends[k-1]
			}
			return c.parts[k], i
		}
	}
	return c.parts[0], i
}

// Read reads sample i from the source that has it.
func (c *Concat) Read(epoch, i int, x, target []float32) (int64, error) {
	src, k := c.part(i)
	return src.Read(epoch, k, x, target)
}

// Class asks the source that has sample i.
func (c *Concat) Class(i int) (int64, bool) {
	src, k := c.part(i)
	return classOf(src, k)
}
