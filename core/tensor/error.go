package tensor

import "strconv"

// Error is the one error type of the core: an operator or entry point, what is wrong, and the
// shapes it is wrong about. Building a graph panics with *Error for a programmer's mistake;
// every entry that takes outside data returns it (see [Catch]).
type Error struct {
	Op     string  // operator, layer or entry point; may be empty
	Msg    string  // what is wrong and, where there is one, the way out
	Shapes [][]int // the shapes it is about; may be empty
	Code   string  // what kind of error it is, where a program may want to know; see the constants
}

// Kinds of errors that a program may treat apart from others.
const (
	CodeMemory      = "memory"      // the byte budget is used up
	CodeNaN         = "nan"         // a number is NaN or infinite where none may be
	CodeLabel       = "label"       // a class label is out of range or no whole number
	CodeFormat      = "format"      // a file is corrupt or of another format
	CodeUnsupported = "unsupported" // an operator or feature that this build lacks
	CodeVersion     = "version"     // a file of another version
)

// With returns the error with a code.
func (e *Error) With(code string) *Error {
	e.Code = code
	return e
}

// Error returns for example "weft: MatMul: inner dimensions differ: [2 3] x [4 5]".
func (e *Error) Error() string {
	s := "weft: "
	if e.Op != "" {
		s += e.Op + ": "
	}
	s += e.Msg
	for i, sh := range e.Shapes {
		if i == 0 {
			s += ": "
		} else {
			s += " x "
		}
		s += ShapeString(sh)
	}
	return s
}

// Errorf would need fmt, which the page does not carry; Err joins its parts instead. A part is a
// string, an int, a DType, a shape ([]int) or an error.
func Err(op string, parts ...any) *Error {
	var s string
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			s += p
		case int:
			s += strconv.Itoa(p)
		case int64:
			s += strconv.FormatInt(p, 10)
		case uint64:
			s += strconv.FormatUint(p, 10)
		case float64:
			s += strconv.FormatFloat(p, 'g', -1, 64)
		case float32:
			s += strconv.FormatFloat(float64(p), 'g', -1, 32)
		case DType:
			s += p.String()
		case []int:
			s += ShapeString(p)
		case error:
			s += p.Error()
		default:
			s += "?"
		}
	}
	return &Error{Op: op, Msg: s}
}

// Fail panics with an *Error made from its parts as [Err] does.
func Fail(op string, parts ...any) { panic(Err(op, parts...)) }

// Catch is deferred at the boundary of a public entry that takes outside data: it turns a panic
// with *Error into the returned error and lets every other panic travel on.
//
//	func Load(b []byte) (g *graph.Graph, err error) {
//		defer tensor.Catch(&err)
//		...
func Catch(err *error) {
	switch r := recover().(type) {
	case nil:
	case *Error:
		*err = r
	default:
		panic(r)
	}
}

// ShapeString returns a shape as "[2 3]"; negative (unknown or symbolic) dimensions print as "?".
func ShapeString(shape []int) string {
	s := "["
	for i, d := range shape {
		if i > 0 {
			s += " "
		}
		if d < 0 {
			s += "?"
		} else {
			s += strconv.Itoa(d)
		}
	}
	return s + "]"
}
