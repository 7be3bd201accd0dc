// Package csv reads tables in comma-separated form (RFC 4180) into samples: numeric columns,
// optional one-hot encoding of text columns, missing values, and a class or number to predict.
//
// What was learnt from a training table (columns, categories, class names, fill values) is a
// Schema; reading a second table with it gives the same columns and classes.
package csv

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/weft-ml/weft/core/data"
)

// Missing says what becomes of empty and unknown values (empty, NA, N/A, NaN, null, None, ?).
type Missing int

// The treatments of missing values.
const (
	MissingError Missing = iota // an error that names row and column
	MissingDrop                 // the row is left out
	MissingFill                 // the column's mean; a category gets all zeros. A missing label is an error all the same
)

// Header says whether the first row names the columns.
type Header int

// The treatments of the first row.
const (
	HeaderAuto Header = iota // a header if no cell is a number, or if a column that is numeric below it starts with text
	HeaderYes
	HeaderNo
)

// Options say how to read a table. The zero value takes the last column as the class.
type Options struct {
	Label      string  // name of the label column, or its index: "0" is the first, "-1" the last; "" means "-1"
	NoLabel    bool    // all columns are features
	Regression bool    // the label is a number to predict, not a class
	Header     Header  //
	Comma      rune    // separator; 0 finds out among , ; and tab by the first line
	Missing    Missing //
	OneHot     bool    // text columns become one column a category; without it they are errors
	Shape      []int   // shape of a sample, for example [1 28 28]; nil means one dimension
	Schema     *Schema // of a table read before: this one must fit it
	MaxBytes   int64   // largest file; 0 means DefaultMaxBytes
}

// DefaultMaxBytes bounds the text of one file unless Options say otherwise.
const DefaultMaxBytes = 1 << 29

// maxCategories bounds the distinct texts of a column: more are names or ids, not categories.
const maxCategories = 1000

// maxNumbers bounds the features of a whole table, a gigabyte of float32: one-hot encoding can
// make many columns of a short text.
const maxNumbers = 1 << 28

// Table is a table as samples.
type Table struct {
	*data.Memory
	Schema  Schema
	Dropped int // rows left out for missing values
}

// rows is the raw table. A row is one string and the ends of its cells, a fifth of the memory of a
// string for each cell: tables of images have tens of millions.
type rows struct {
	name  string
	head  []string // nil without a header
	width int      // cells of every row
	text  []string // of each row, its cells trimmed and joined
	end   []uint32 // [rows, width]: where each cell ends in the row's text
	line  []int    // where each row starts, counted from 1
}

// cell returns a cell of the table.
func (t *rows) cell(row, col int) string {
	from := uint32(0)
	if col > 0 {
		from = t.end[row*t.width+col-1]
	}
	return t.text[row][from:t.end[row*t.width+col]]
}

// row returns the cells of a row.
func (t *rows) row(i int) []string {
	out := make([]string, t.width)
	for j := range out {
		out[j] = t.cell(i, j)
	}
	return out
}

func (t *rows) len() int { return len(t.text) }

// Read reads a whole table. name stands in errors, which say the line and column.
func Read(r io.Reader, name string, opt Options) (*Table, error) {
	t, err := parse(r, name, opt)
	if err != nil {
		return nil, err
	}
	if t.len() == 0 {
		return nil, failure(name, 0, "the table has no rows of data")
	}
	s := opt.Schema
	if s == nil {
		if s, err = learn(t, opt); err != nil {
			return nil, err
		}
	} else if err := s.fits(t); err != nil {
		return nil, err
	}
	return s.apply(t, opt)
}

// parse reads the cells and settles the separator and the header.
func parse(r io.Reader, name string, opt Options) (*rows, error) {
	limit := opt.MaxBytes
	if limit <= 0 {
		limit = DefaultMaxBytes
	}
	counted := &limitReader{r: r, left: limit}
	br := bufio.NewReaderSize(counted, 1<<16)
	if bom, _ := br.Peek(3); string(bom) == "\xef\xbb\xbf" {
		br.Discard(3)
	}
	c := csv.NewReader(br)
	c.Comma = opt.Comma
	if c.Comma == 0 {
		c.Comma = guessComma(br)
	}
	c.ReuseRecord = true
	c.TrimLeadingSpace = c.Comma != '\t'
	t := &rows{name: name}
	var text []byte
	for {
		rec, err := c.Read()
		if err == io.EOF {
			break
		}
		if counted.over {
			return nil, failure(name, 0, "the file is larger than "+strconv.FormatInt(limit, 10)+" bytes: raise the limit or split it")
		}
		var pe *csv.ParseError
		if errors.As(err, &pe) {
			if errors.Is(pe.Err, csv.ErrFieldCount) {
				return nil, failure(name, pe.Line, "the row has "+strconv.Itoa(len(rec))+" columns, the first row "+strconv.Itoa(t.width))
			}
			return nil, failure(name, pe.Line, "column "+strconv.Itoa(pe.Column)+": "+pe.Err.Error()+": quotes must come in pairs and enclose whole cells")
		}
		if err != nil {
			return nil, &readError{failure(name, 0, err.Error()).Error(), err}
		}
		line, _ := c.FieldPos(0)
		text = text[:0]
		for i, v := range rec {
			v = strings.TrimSpace(v)
			if !validText(v) {
				return nil, failure(name, line, "column "+strconv.Itoa(i+1)+" holds control bytes: this is not a text table")
			}
			text = append(text, v...)
			t.end = append(t.end, uint32(len(text)))
		}
		t.width = len(rec)
		t.text, t.line = append(t.text, string(text)), append(t.line, line)
	}
	if t.len() == 0 {
		return nil, failure(name, 0, "the file is empty")
	}
	if opt.Header == HeaderYes || opt.Header == HeaderAuto && t.looksLikeHeader() {
		t.head = t.row(0)
		t.text, t.end, t.line = t.text[1:], t.end[t.width:], t.line[1:]
	}
	return t, nil
}

// limitReader ends with an error after left bytes, unlike io.LimitReader, which ends quietly.
type limitReader struct {
	r    io.Reader
	left int64
	over bool
}

var errTooLarge = errors.New("larger than the limit")

func (l *limitReader) Read(p []byte) (int, error) {
	if l.left < 0 {
		l.over = true
		return 0, errTooLarge
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	return n, err
}

// guessComma returns the most frequent separator of the first line.
func guessComma(br *bufio.Reader) rune {
	head, _ := br.Peek(1 << 16)
	line := string(head)
	if i := strings.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	best, most := ',', 0
	for _, c := range []rune{',', ';', '\t'} {
		if n := strings.Count(line, string(c)); n > most {
			best, most = c, n
		}
	}
	return best
}

// looksLikeHeader compares the first row with the second and third.
func (t *rows) looksLikeHeader() bool {
	head, anyNumber := t.row(0), false
	for i, v := range head {
		if isNumber(v) {
			anyNumber = true
			continue
		}
		for below := 1; below < min(3, t.len()); below++ {
			if isNumber(t.cell(below, i)) && !missing(v) {
				return true
			}
		}
	}
	return !anyNumber && t.len() > 1 && !slices.ContainsFunc(head, missing)
}

func isNumber(v string) bool {
	_, ok := number(v)
	return ok
}

// number parses a finite number.
func number(v string) (float64, bool) {
	f, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(f) || math.Abs(f) > math.MaxFloat32 {
		return 0, false
	}
	return f, true
}

// missing reports whether a cell holds no value.
func missing(v string) bool {
	switch strings.ToLower(v) {
	case "", "na", "n/a", "nan", "null", "none", "?":
		return true
	}
	return false
}

func validText(v string) bool {
	for i := range len(v) {
		if v[i] < ' ' && v[i] != '\t' && v[i] != '\n' && v[i] != '\r' {
			return false
		}
	}
	return true
}

// failure names the file, the line (counted from 1; 0 for none) and the problem.
func failure(name string, line int, text string) error {
	where := ""
	if line > 0 {
		where = "line " + strconv.Itoa(line) + ": "
	}
	return errors.New("weft: csv: " + name + ": " + where + text)
}

// readError is an error of the underlying reader, for errors.Is.
type readError struct {
	text string
	err  error
}

func (e *readError) Error() string { return e.text }
func (e *readError) Unwrap() error { return e.err }
