package csv_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/data/csv"
	"github.com/weft-ml/weft/internal/require"
)

func read(t *testing.T, text string, opt csv.Options) *csv.Table {
	t.Helper()
	tab, err := csv.Read(strings.NewReader(text), "t.csv", opt)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, text string
		opt        csv.Options
		x          []float32
		labels     []int64
		targets    []float32
		classes    []string
	}{
		{"iris", "a,b,kind\n1,2,x\n3,4,y\n5,6,x\n", csv.Options{}, []float32{1, 2, 3, 4, 5, 6}, []int64{0, 1, 0}, nil, []string{"x", "y"}},
		{"no header", "1,2,x\n3,4,y\n", csv.Options{}, []float32{1, 2, 3, 4}, []int64{0, 1}, nil, []string{"x", "y"}},
		{"label by name", "kind,a\nx,1\ny,2\n", csv.Options{Label: "kind"}, []float32{1, 2}, []int64{0, 1}, nil, []string{"x", "y"}},
		{"label by index", "0,1.5\n2,2.5\n", csv.Options{Label: "0"}, []float32{1.5, 2.5}, []int64{0, 2}, nil, []string{"0", "1", "2"}},
		{"label from the end", "1,7,3\n2,9,4\n", csv.Options{Label: "-2", Regression: true}, []float32{1, 3, 2, 4}, nil, []float32{7, 9}, nil},
		{"quoted", "\"a, b\";c;k\r\n\"1\";2;\"x \"\"y\"\"\"\r\n", csv.Options{}, []float32{1, 2}, []int64{0}, nil, []string{`x "y"`}},
		{"tabs and BOM", "\ufeffa\tk\n1\tp\n2\tq\n", csv.Options{}, []float32{1, 2}, []int64{0, 1}, nil, []string{"p", "q"}},
		{"spaces", " 1 , 2 , x \n", csv.Options{}, []float32{1, 2}, []int64{0}, nil, []string{"x"}},
		{"drop", "a,k\n1,x\n?,x\n3,\n4,y\n", csv.Options{Missing: csv.MissingDrop}, []float32{1, 4}, []int64{0, 1}, nil, []string{"x", "y"}},
		{"fill", "a,c,k\n1,u,x\nNA,v,x\n3,,y\n", csv.Options{Missing: csv.MissingFill, OneHot: true},
			[]float32{1, 1, 0, 2, 0, 1, 3, 0, 0}, []int64{0, 0, 1}, nil, []string{"x", "y"}},
		{"no label", "a,b\n1,2\n", csv.Options{NoLabel: true}, []float32{1, 2}, nil, nil, nil},
		{"numeric header", "1,2\n3,4\n", csv.Options{NoLabel: true, Header: csv.HeaderYes}, []float32{3, 4}, nil, nil, nil},
		{"negative classes", "1,-1\n2,1\n3,-1\n", csv.Options{}, []float32{1, 2, 3}, []int64{0, 1, 0}, nil, []string{"-1", "1"}},
		{"sparse classes", "1,30\n2,200\n", csv.Options{}, []float32{1, 2}, []int64{0, 1}, nil, []string{"30", "200"}},
		{"blank lines", "\n1,x\n\n2,y\n\n", csv.Options{}, []float32{1, 2}, []int64{0, 1}, nil, []string{"x", "y"}},
	} {
		tab, err := csv.Read(strings.NewReader(c.text), "t.csv", c.opt)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !slices.Equal(tab.X, c.x) || !slices.Equal(tab.Labels, c.labels) || !slices.Equal(tab.Targets, c.targets) || !slices.Equal(tab.Schema.Classes, c.classes) {
			t.Errorf("%s: %v, %v, %v, %v", c.name, tab.X, tab.Labels, tab.Targets, tab.Schema.Classes)
		}
		// The same text read with the schema gives the same samples.
		again := c.opt
		again.Schema = &tab.Schema
		if tab2 := read(t, c.text, again); !slices.Equal(tab2.X, c.x) || !slices.Equal(tab2.Labels, c.labels) {
			t.Errorf("%s: with the schema: %v, %v", c.name, tab2.X, tab2.Labels)
		}
	}
	tab := read(t, "1,2,3,4,x\n5,6,7,8,y\n", csv.Options{Shape: []int{1, 2, 2}})
	if s := tab.Spec(); !slices.Equal(s.Shape, []int{1, 2, 2}) || s.Classes != 2 || !slices.Equal(s.Names, []string{"x", "y"}) {
		t.Errorf("spec %v", s)
	}
	if tab := read(t, "a,k\n1,x\n?,x\n", csv.Options{Missing: csv.MissingDrop}); tab.Dropped != 1 {
		t.Errorf("dropped %d", tab.Dropped)
	}
}

func TestReadErrors(t *testing.T) {
	schema := &read(t, "a,c,k\n1,u,x\n2,v,y\n", csv.Options{OneHot: true}).Schema
	for _, c := range []struct {
		name, text string
		opt        csv.Options
		want       string
	}{
		{"empty", "", csv.Options{}, "the file is empty"},
		{"header only", "a,b\n", csv.Options{Header: csv.HeaderYes}, "no rows of data"},
		{"ragged", "1,2,x\n1,x\n", csv.Options{}, "line 2: the row has 2 columns, the first row 3"},
		{"quote", "1,x\n2,\"y\n", csv.Options{}, "line 2"},
		{"bare quote", "1,x\n2,y\"z\n", csv.Options{}, "quotes must come in pairs"},
		{"text", "a,b,k\n1,2,x\n1,red,y\n", csv.Options{}, `line 3: column "b" holds "red", which is not a finite number`},
		{"infinite", "1,x\nInf,y\n", csv.Options{}, `holds "Inf"`},
		{"too large", "1,x\n1e39,y\n", csv.Options{}, `holds "1e39"`},
		{"missing", "a,k\n1,x\n,y\n", csv.Options{}, `line 3: column "a" has no value`},
		{"missing label", "a,k\n1,x\n2,\n", csv.Options{Missing: csv.MissingFill}, `line 3: column "k" has no value`},
		{"all dropped", "a,k\n?,x\n", csv.Options{Missing: csv.MissingDrop, Header: csv.HeaderYes}, "no row is left"},
		{"no such label", "a,k\n1,x\n", csv.Options{Label: "z"}, `no column "z": the columns are a, k`},
		{"no such index", "a,k\n1,x\n", csv.Options{Label: "5"}, "no column 5: the table has columns 0 to 1"},
		{"name without header", "1,x\n", csv.Options{Label: "z"}, "the table has no header"},
		{"only label", "x\ny\n", csv.Options{Header: csv.HeaderNo}, "no column besides the label"},
		{"text regression", "1,x\n", csv.Options{Regression: true, Header: csv.HeaderNo}, `holds "x", which is not a finite number`},
		{"shape", "1,2,x\n", csv.Options{Shape: []int{3}}, "2 features, the shape asks for 3"},
		{"limit", "1,2,x\n1,2,y\n", csv.Options{MaxBytes: 8}, "larger than 8 bytes"},
		{"binary", "\x89PNG\r\n\x1a\n\x00\x00,\x01\n", csv.Options{}, "t.csv: "},
		{"schema width", "1,2\n", csv.Options{Schema: schema}, "2 columns, the one before had 3"},
		{"schema names", "a,d,k\n1,u,x\n", csv.Options{Schema: schema}, `called "d", in the table before "c"`},
		{"schema category", "1,w,x\n", csv.Options{Schema: schema}, `holds "w", which the table before did not have`},
		{"schema class", "1,u,z\n", csv.Options{Schema: schema}, `holds "z", which is none of the 2 classes`},
		{"schema number", "one,u,x\n", csv.Options{Schema: schema, Header: csv.HeaderNo}, `holds "one"`},
	} {
		_, err := csv.Read(strings.NewReader(c.text), "t.csv", c.opt)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "weft: csv: t.csv: ") {
			t.Errorf("%s: error %v, want it to contain %q", c.name, err, c.want)
		}
	}
	broken := errors.New("broken")
	if _, err := csv.Read(iotest.ErrReader(broken), "t.csv", csv.Options{}); !errors.Is(err, broken) {
		t.Errorf("broken reader: %v", err)
	}
	many := strings.Builder{}
	for i := range 1100 {
		many.WriteString("1,name")
		many.WriteByte(byte('a' + i%26))
		many.WriteByte(byte('a' + i/26%26))
		many.WriteByte(byte('a' + i/676))
		many.WriteByte('\n')
	}
	if _, err := csv.Read(strings.NewReader(many.String()), "t.csv", csv.Options{}); err == nil || !strings.Contains(err.Error(), "more than 1000 different values") {
		t.Errorf("many classes: %v", err)
	}
}

// TestRealTables reads the reference tables, each with its own habits.
func TestRealTables(t *testing.T) {
	dir := require.Data(t, "tabular")
	for _, c := range []struct {
		file    string
		opt     csv.Options
		rows    int
		feats   int
		classes int
	}{
		{"iris.csv", csv.Options{}, 150, 4, 3},
		{"penguins.csv", csv.Options{Label: "species", OneHot: true, Missing: csv.MissingDrop}, 333, 9, 3},
		{"titanic.csv", csv.Options{Label: "survived", OneHot: true, Missing: csv.MissingFill}, 891, 0, 2},
		{"mpg.csv", csv.Options{Label: "mpg", Regression: true, OneHot: true, Missing: csv.MissingFill}, 398, 0, 0},
	} {
		b, err := os.ReadFile(filepath.Join(dir, c.file))
		if err != nil {
			t.Logf("%s is not in the set", c.file)
			continue
		}
		tab, err := csv.Read(strings.NewReader(string(b)), c.file, c.opt)
		if err != nil {
			t.Error(err)
			continue
		}
		if s := tab.Spec(); tab.Len() != c.rows || c.feats > 0 && s.Size() != c.feats || s.Classes != c.classes {
			t.Errorf("%s: %d rows, %d features, %d classes", c.file, tab.Len(), s.Size(), s.Classes)
		}
		if _, _, err := data.Moments(tab, data.PerFeature); err != nil {
			t.Error(err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("a,b,k\n1,2,x\n3,4,y\n", uint8(0))
	f.Add("1;?;\"x\"\n", uint8(0xff))
	f.Add("a\tb\n1\t2\n", uint8(4))
	f.Fuzz(func(t *testing.T, text string, bits uint8) {
		opt := csv.Options{MaxBytes: 1 << 16, Missing: csv.Missing(bits % 3), OneHot: bits&4 != 0, Regression: bits&8 != 0,
			NoLabel: bits&16 != 0, Header: csv.Header(bits >> 5 % 3)}
		tab, err := csv.Read(strings.NewReader(text), "t.csv", opt)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "weft: ") {
				t.Errorf("error %v", err)
			}
			return
		}
		if len(tab.X) != tab.Len()*tab.Spec().Size() {
			t.Error("lengths do not fit")
		}
	})
}
