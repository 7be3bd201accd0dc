// Benchtab makes BENCHMARKS.md's tables of measurements: lines of JSON as "weft bench --json" and the harness of other runtimes write them.
//
//	go run ./internal/benchtab weft.jsonl others.jsonl           # prints every table
//	go run ./internal/benchtab -update BENCHMARKS.md *.jsonl     # writes them between their marks
//
// Files are rounds: of a workload's times on one runtime the least of the least and the median of the medians are kept.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("benchtab", flag.ContinueOnError)
	flags.SetOutput(stderr)
	update := flags.String("update", "", "write the tables into `file`, between its marks")
	list := flags.String("workloads", "native/weft/workloads.json", "`file` that lists the workloads, for their order and operations")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	err := tables(flags.Args(), *list, *update, stdout)
	if err != nil {
		fmt.Fprintln(stderr, "benchtab:", err)
		return 1
	}
	return 0
}

func tables(files []string, list, update string, stdout io.Writer) error {
	w, err := readWorkloads(list)
	if err != nil {
		return err
	}
	m := measurements{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		if err := m.read(b); err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
	}
	if update == "" {
		for _, s := range m.sections() {
			fmt.Fprintf(stdout, "%s, %s\n\n%s\n", s.env, threads(s.threads), m.table(s, w))
		}
		return nil
	}
	b, err := os.ReadFile(update)
	if err != nil {
		return err
	}
	out, err := fill(string(b), m, w)
	if err != nil {
		return fmt.Errorf("%s: %w", update, err)
	}
	return os.WriteFile(update, []byte(out), 0o666)
}

func threads(n int) string {
	if n == 1 {
		return "one thread"
	}
	return strconv.Itoa(n) + " threads"
}

// workload is a row of the tables.
type workload struct {
	name  string
	flops float64 // 0: not counted
}

// readWorkloads returns the workloads in the list's order.
func readWorkloads(file string) ([]workload, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var l struct {
		Sgemm [][3]int
		Conv  []struct {
			Name                               string
			N, H, W, Cin, K, Cout, Pad, Groups int
		}
		Lenet, Transformer, LSTM, ONNX []string
	}
	if err := json.Unmarshal(b, &l); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var out []workload
	for _, s := range l.Sgemm {
		out = append(out, workload{fmt.Sprintf("sgemm/%dx%dx%d", s[0], s[1], s[2]), 2 * float64(s[0]) * float64(s[1]) * float64(s[2])})
	}
	for _, c := range l.Conv {
		oh, ow := c.H+2*c.Pad-c.K+1, c.W+2*c.Pad-c.K+1
		out = append(out, workload{"conv/" + c.Name, 2 * float64(c.N*oh*ow*c.Cout) * float64(c.K*c.K*c.Cin/max(c.Groups, 1))})
	}
	for _, names := range [][]string{l.Lenet, l.Transformer, l.LSTM, l.ONNX} {
		for _, n := range names {
			out = append(out, workload{name: n})
		}
	}
	return out, nil
}

// section is a table: runtimes of one environment with one number of threads.
type section struct {
	env     string
	threads int
}

// key is one column of a section.
type key struct {
	section
	peer string // without its number of threads
}

// times are the milliseconds of one workload on one runtime, of every round.
type times struct{ least, median []float64 }

func (t *times) best() float64 { return slices.Min(t.least) }

func (t *times) middle() float64 {
	s := slices.Sorted(slices.Values(t.median))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

type measurements map[key]map[string]*times

// row is one line of a measurement.
type row struct {
	Peer, Env, W string
	Min          float64 `json:"ms_min"`
	Med          float64 `json:"ms_med"`
}

// read takes in lines of rows; other lines than JSON's are left out.
func (m measurements) read(b []byte) error {
	for i, line := range bytes.Split(b, []byte("\n")) {
		if line = bytes.TrimSpace(line); len(line) == 0 || line[0] != '{' {
			continue
		}
		var r row
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
		peer, n, ok := cutThreads(r.Peer)
		if !ok || r.W == "" || !(r.Min > 0) || !(r.Med > 0) {
			continue
		}
		k := key{section{r.Env, n}, peer}
		if m[k] == nil {
			m[k] = map[string]*times{}
		}
		t := m[k][r.W]
		if t == nil {
			t = &times{}
			m[k][r.W] = t
		}
		t.least, t.median = append(t.least, r.Min), append(t.median, r.Med)
	}
	return nil
}

// cutThreads takes the number of threads from a runtime's name: "torch-2t" is torch with 2.
func cutThreads(name string) (peer string, n int, ok bool) {
	i := strings.LastIndexByte(name, '-')
	if i < 0 || !strings.HasSuffix(name, "t") {
		return "", 0, false
	}
	n, err := strconv.Atoi(name[i+1 : len(name)-1])
	return name[:i], n, err == nil && n > 0
}

func isWeft(peer string) bool { return strings.HasPrefix(peer, "weft") }

func (m measurements) sections() []section {
	seen := map[section]bool{}
	var out []section
	for k := range m {
		if !seen[k.section] {
			seen[k.section] = true
			out = append(out, k.section)
		}
	}
	slices.SortFunc(out, func(a, b section) int {
		rank := func(s section) int { return strings.Index("native chromium node", s.env)*100 + s.threads }
		return rank(a) - rank(b)
	})
	return out
}

// columns returns the runtimes of a section, Weft first.
func (m measurements) columns(s section) []key {
	var out []key
	for k := range m {
		if k.section == s {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b key) int {
		if isWeft(a.peer) != isWeft(b.peer) {
			if isWeft(a.peer) {
				return -1
			}
			return 1
		}
		return strings.Compare(a.peer, b.peer)
	})
	return out
}

// table prints a section: best / median milliseconds, Weft's GFLOP/s, how many times longer the fastest other runtime takes, and with several threads
// how many times longer one takes.
func (m measurements) table(s section, list []workload) string {
	cols := m.columns(s)
	var b strings.Builder
	b.WriteString("| ms, best / median |")
	for _, c := range cols {
		b.WriteString(" " + c.peer + " |")
	}
	b.WriteString(" GFLOP/s | ahead |")
	if s.threads > 1 {
		b.WriteString(" gain |")
	}
	b.WriteString("\n|---|")
	for range len(cols) + 2 {
		b.WriteString("--:|")
	}
	if s.threads > 1 {
		b.WriteString("--:|")
	}
	b.WriteString("\n")
	for _, w := range list {
		weft, other := 0.0, 0.0
		line := "| " + w.name + " |"
		any := false
		for _, c := range cols {
			t := m[c][w.name]
			if t == nil {
				line += " - |"
				continue
			}
			any = true
			line += " " + number(t.best()) + " / " + number(t.middle()) + " |"
			if isWeft(c.peer) {
				weft = t.best()
			} else if other == 0 || t.best() < other {
				other = t.best()
			}
		}
		if !any {
			continue
		}
		line += cell(weft > 0 && w.flops > 0, w.flops/weft/1e6, "%.1f") + cell(weft > 0 && other > 0, other/weft, "%.2f")
		if s.threads > 1 {
			one := m.weft(section{s.env, 1}, w.name)
			line += cell(weft > 0 && one > 0, one/weft, "%.2f")
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// weft returns Weft's best time in a section, 0 where there is none.
func (m measurements) weft(s section, w string) float64 {
	for k, v := range m {
		if k.section == s && isWeft(k.peer) && v[w] != nil {
			return v[w].best()
		}
	}
	return 0
}

func cell(known bool, v float64, format string) string {
	if !known {
		return " - |"
	}
	return " " + fmt.Sprintf(format, v) + " |"
}

// number prints milliseconds with three digits.
func number(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v >= 1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

const endMark = "<!-- end -->"

// fill puts tables between the marks "<!-- table ENV THREADS -->" and "<!-- end -->"; those without measurements stay as they are.
func fill(text string, m measurements, list []workload) (string, error) {
	var b strings.Builder
	for {
		at := strings.Index(text, "<!-- table ")
		if at < 0 {
			b.WriteString(text)
			return b.String(), nil
		}
		end := strings.Index(text[at:], "-->\n")
		if end < 0 {
			return "", fmt.Errorf("a mark is not closed")
		}
		from := at + end + len("-->\n")
		var s section
		if _, err := fmt.Sscanf(text[at:from], "<!-- table %s %d -->", &s.env, &s.threads); err != nil {
			return "", fmt.Errorf("mark %q: %w", strings.TrimSpace(text[at:from]), err)
		}
		to := strings.Index(text[from:], endMark)
		if to < 0 {
			return "", fmt.Errorf("the table of %s %d has no end", s.env, s.threads)
		}
		b.WriteString(text[:from])
		if len(m.columns(s)) > 0 {
			b.WriteString("\n" + m.table(s, list) + "\n")
		} else {
			b.WriteString(text[from : from+to])
		}
		b.WriteString(endMark)
		text = text[from+to+len(endMark):]
	}
}
