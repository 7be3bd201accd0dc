package csv

import (
	"slices"
	"strconv"
	"strings"

	"github.com/weft-ml/weft/core/data"
)

// Column is what is known of one column of the file.
type Column struct {
	Name       string   // from the header, or "column 1", "column 2", ...
	Label      bool     // what is to be predicted, not a feature
	Categories []string // of a text column, sorted; nil for numbers
	Fill       float64  // mean of the numbers, for missing ones
}

// Schema is what a table's columns are and how they become features. It holds plain data, so that
// it can be saved beside a model.
type Schema struct {
	Columns    []Column
	Classes    []string // names of the classes in the order of their numbers; nil for regression or without a label
	Regression bool
}

// Features returns the number of features of a sample.
func (s *Schema) Features() int {
	n := 0
	for _, c := range s.Columns {
		switch {
		case c.Label:
		case c.Categories != nil:
			n += len(c.Categories)
		default:
			n++
		}
	}
	return n
}

// label returns the index of the label column, -1 for none.
func (s *Schema) label() int {
	return slices.IndexFunc(s.Columns, func(c Column) bool { return c.Label })
}

// learn finds out the columns of a table.
func learn(t *rows, opt Options) (*Schema, error) {
	width := t.width
	s := &Schema{Columns: make([]Column, width), Regression: opt.Regression && !opt.NoLabel}
	for i := range s.Columns {
		s.Columns[i].Name = t.columnName(i)
	}
	if !opt.NoLabel {
		i, err := t.findColumn(opt.Label)
		if err != nil {
			return nil, err
		}
		s.Columns[i].Label = true
		if !opt.Regression {
			if s.Classes, err = t.classes(i); err != nil {
				return nil, err
			}
		}
	}
	for i := range s.Columns {
		if !s.Columns[i].Label {
			if err := t.learnColumn(i, &s.Columns[i], opt); err != nil {
				return nil, err
			}
		}
	}
	if s.Features() == 0 {
		return nil, failure(t.name, 0, "the table has no column besides the label")
	}
	return s, nil
}

func (t *rows) columnName(i int) string {
	if t.head != nil && t.head[i] != "" {
		return t.head[i]
	}
	return "column " + strconv.Itoa(i+1)
}

// findColumn resolves a name or an index; a name wins.
func (t *rows) findColumn(label string) (int, error) {
	width := t.width
	if label == "" {
		return width - 1, nil
	}
	if i := slices.Index(t.head, label); i >= 0 {
		return i, nil
	}
	i, err := strconv.Atoi(label)
	if err != nil {
		if t.head == nil {
			return 0, failure(t.name, 0, "no column "+strconv.Quote(label)+": the table has no header; give the column's index, 0 to "+strconv.Itoa(width-1))
		}
		return 0, failure(t.name, 0, "no column "+strconv.Quote(label)+": the columns are "+strings.Join(t.head[:min(width, 20)], ", "))
	}
	if i < 0 {
		i += width
	}
	if i < 0 || i >= width {
		return 0, failure(t.name, 0, "no column "+label+": the table has columns 0 to "+strconv.Itoa(width-1))
	}
	return i, nil
}

// classes returns the distinct labels: in numeric order when all are integers, and then, if they
// lie within 0 to 255 without sign or fraction, every integer from 0 up to the highest, so that a
// part of a data set of digits still has ten classes in the usual order; else in text order.
func (t *rows) classes(col int) ([]string, error) {
	seen := map[string]bool{}
	var out []string
	integers, highest := true, 0
	for i := range t.len() {
		v := t.cell(i, col)
		if missing(v) {
			continue // apply says what becomes of the row
		}
		if seen[v] {
			continue
		}
		seen[v] = true
		if len(out) >= maxCategories {
			return nil, failure(t.name, t.line[i], "the label column "+strconv.Quote(t.columnName(col))+" has more than "+strconv.Itoa(maxCategories)+
				" different values: name another column, or ask for regression")
		}
		out = append(out, v)
		if n, err := strconv.Atoi(v); err != nil || strconv.Itoa(n) != v || n < 0 || n > 255 {
			integers = false
		} else {
			highest = max(highest, n)
		}
	}
	if len(out) == 0 {
		return nil, failure(t.name, 0, "the label column "+strconv.Quote(t.columnName(col))+" is empty")
	}
	if integers && highest < 2*len(out)+8 {
		out = out[:0]
		for n := range highest + 1 {
			out = append(out, strconv.Itoa(n))
		}
		return out, nil
	}
	sortClasses(out)
	return out, nil
}

// sortClasses sorts by value when all are numbers, else by text.
func sortClasses(names []string) {
	for _, n := range names {
		if !isNumber(n) {
			slices.Sort(names)
			return
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		x, _ := number(a)
		y, _ := number(b)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return strings.Compare(a, b)
	})
}

// learnColumn finds out whether a feature column holds numbers or categories.
func (t *rows) learnColumn(col int, c *Column, opt Options) error {
	sum, n := 0.0, 0
	textLine := -1
	for i := range t.len() {
		cell := t.cell(i, col)
		if missing(cell) {
			continue
		}
		v, ok := number(cell)
		if !ok {
			textLine = i
			break
		}
		sum += v
		n++
	}
	if textLine < 0 {
		if n > 0 {
			c.Fill = sum / float64(n)
		}
		return nil
	}
	if !opt.OneHot {
		return failure(t.name, t.line[textLine], "column "+strconv.Quote(c.Name)+" holds "+clip(t.cell(textLine, col))+
			", which is not a finite number: drop the column or ask for one-hot encoding of text columns")
	}
	seen := map[string]bool{}
	c.Categories = []string{}
	for i := range t.len() {
		v := t.cell(i, col)
		if missing(v) || seen[v] {
			continue
		}
		if len(c.Categories) >= maxCategories {
			return failure(t.name, t.line[i], "text column "+strconv.Quote(c.Name)+" has more than "+strconv.Itoa(maxCategories)+
				" different values: these are no categories, drop the column")
		}
		seen[v] = true
		c.Categories = append(c.Categories, v)
	}
	slices.Sort(c.Categories)
	return nil
}

// fits checks a table against a schema learnt from another one.
func (s *Schema) fits(t *rows) error {
	if len(s.Columns) != t.width {
		return failure(t.name, 0, "the table has "+strconv.Itoa(t.width)+" columns, the one before had "+strconv.Itoa(len(s.Columns)))
	}
	for i, c := range s.Columns {
		if t.head != nil && t.head[i] != "" && t.head[i] != c.Name {
			return failure(t.name, 0, "column "+strconv.Itoa(i+1)+" is called "+strconv.Quote(t.head[i])+", in the table before "+strconv.Quote(c.Name))
		}
	}
	return nil
}

// apply turns the cells into samples.
func (s *Schema) apply(t *rows, opt Options) (*Table, error) {
	features, label := s.Features(), s.label()
	if opt.Shape != nil {
		n := 1
		for _, d := range opt.Shape {
			n *= d
		}
		if n != features {
			return nil, failure(t.name, 0, "the table has "+strconv.Itoa(features)+" features, the shape asks for "+strconv.Itoa(n))
		}
	}
	spec := data.Spec{Shape: opt.Shape, Classes: len(s.Classes), Names: s.Classes}
	if opt.Shape == nil {
		spec.Shape = []int{features}
	}
	if s.Regression {
		spec.Targets = 1
	}
	classOf := make(map[string]int64, len(s.Classes))
	for k, name := range s.Classes {
		classOf[name] = int64(k)
	}
	out := &Table{Schema: *s}
	if t.len() > maxNumbers/features {
		return nil, failure(t.name, 0, strconv.Itoa(t.len())+" rows of "+strconv.Itoa(features)+" features are more than "+
			strconv.Itoa(maxNumbers)+" numbers: drop text columns or split the table")
	}
	x := make([]float32, 0, t.len()*features)
	var labels []int64
	var targets []float32
next:
	for i := range t.len() {
		kept := len(x)
		for j := range s.Columns {
			c, v := &s.Columns[j], t.cell(i, j)
			if missing(v) {
				switch {
				case opt.Missing == MissingDrop:
					x = x[:kept]
					out.Dropped++
					continue next
				case opt.Missing == MissingError || c.Label:
					return nil, failure(t.name, t.line[i], "column "+strconv.Quote(c.Name)+" has no value ("+strconv.Quote(v)+
						"): fill in, or drop rows with missing values")
				case c.Categories != nil:
					x = append(x, make([]float32, len(c.Categories))...)
				default:
					x = append(x, float32(c.Fill))
				}
				continue
			}
			switch {
			case c.Label: // read below
			case c.Categories != nil:
				k, ok := slices.BinarySearch(c.Categories, v)
				if !ok {
					return nil, failure(t.name, t.line[i], "column "+strconv.Quote(c.Name)+" holds "+clip(v)+", which the table before did not have")
				}
				x = append(x, make([]float32, len(c.Categories))...)
				x[len(x)-len(c.Categories)+k] = 1
			default:
				f, ok := number(v)
				if !ok {
					return nil, failure(t.name, t.line[i], "column "+strconv.Quote(c.Name)+" holds "+clip(v)+", which is not a finite number")
				}
				x = append(x, float32(f))
			}
		}
		if label < 0 {
			continue
		}
		v := t.cell(i, label)
		if s.Regression {
			f, ok := number(v)
			if !ok {
				return nil, failure(t.name, t.line[i], "label column "+strconv.Quote(s.Columns[label].Name)+" holds "+clip(v)+", which is not a finite number")
			}
			targets = append(targets, float32(f))
			continue
		}
		k, ok := classOf[v]
		if !ok {
			return nil, failure(t.name, t.line[i], "label column "+strconv.Quote(s.Columns[label].Name)+" holds "+clip(v)+", which is none of the "+
				strconv.Itoa(len(s.Classes))+" classes")
		}
		labels = append(labels, k)
	}
	if len(x) == 0 {
		return nil, failure(t.name, 0, "no row is left: each one has a missing value")
	}
	m, err := data.NewMemory(spec, x, labels, targets)
	if err != nil {
		return nil, err
	}
	out.Memory = m
	return out, nil
}

// clip quotes a cell, shortened for a message.
func clip(v string) string {
	if len(v) > 40 {
		v = v[:40] + "..."
	}
	return strconv.Quote(v)
}
