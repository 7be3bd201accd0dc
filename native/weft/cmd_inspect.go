package main

import (
	"fmt"
	"os"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

func (c *cli) inspectCmd() *cobra.Command {
	var batch int
	var steps bool
	cmd := &cobra.Command{
		Use:     "inspect MODEL.onnx",
		Short:   "Show a model's layers, shapes, parameters, operations and memory",
		Example: "  weft inspect lenet.onnx\n  weft inspect lenet.onnx --batch 256 --steps",
		Args:    exactArgs(1, "a model file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if batch < 1 {
				return usagef("--batch must be at least 1, not %d", batch)
			}
			return c.inspect(args[0], batch, steps)
		},
	}
	cmd.Flags().IntVar(&batch, "batch", 1, "size that stands for symbolic dimensions")
	cmd.Flags().BoolVar(&steps, "steps", false, "list the steps of the compiled program too")
	return cmd
}

type nodeInfo struct {
	Name       string  `json:"name"`
	Operator   string  `json:"operator"`
	Output     []int   `json:"output"`
	Parameters int     `json:"parameters"`
	FLOPs      float64 `json:"flops"`
}

type valueInfo struct {
	Name  string `json:"name"`
	DType string `json:"dtype"`
	Shape string `json:"shape"`
}

type inspectResult struct {
	Model      string            `json:"model"`
	FileBytes  int64             `json:"file_bytes"`
	Inputs     []valueInfo       `json:"inputs"`
	Outputs    []valueInfo       `json:"outputs"`
	Layers     []nodeInfo        `json:"layers"`
	Parameters int               `json:"parameters"`
	FLOPs      float64           `json:"flops"`
	Batch      int               `json:"batch"`
	Arena      int64             `json:"arena_bytes"`
	Weights    int64             `json:"weight_bytes"`
	Packed     int64             `json:"packed_bytes"`
	Metadata   map[string]string `json:"metadata,omitempty"`
	Steps      []string          `json:"steps,omitempty"`
}

func (c *cli) inspect(path string, batch int, steps bool) (err error) {
	defer tensor.Catch(&err)
	g, store, err := loadModel(path)
	if err != nil {
		return err
	}
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	r := inspectResult{Model: path, FileBytes: st.Size(), Batch: batch, Inputs: valueInfos(g, g.Inputs), Outputs: valueInfos(g, g.Outputs)}
	for _, m := range g.Meta {
		if r.Metadata == nil {
			r.Metadata = map[string]string{}
		}
		r.Metadata[m.Key] = m.Value
	}
	shapes := make([][]int, len(g.Inputs))
	for i, v := range g.Inputs {
		if !v.HasRank {
			return fmt.Errorf("%s: input %q has no known rank", path, v.Name)
		}
		for _, d := range v.Shape {
			if d < 0 {
				d = batch
			}
			shapes[i] = append(shapes[i], d)
		}
	}
	types := concreteTypes(g, shapes)
	counted := map[*graph.Variable]bool{}
	for _, n := range g.Nodes {
		info := nodeInfo{Name: n.Name, Operator: n.Def.FullName(), Output: types[n.Outputs[0]].Shape}
		in := make([]graph.Type, len(n.Inputs))
		for i, v := range n.Inputs {
			if v == nil {
				continue
			}
			in[i] = types[v]
			if v.Var != nil && !counted[v.Var] {
				counted[v.Var] = true
				info.Parameters += tensor.Size(v.Shape)
			}
		}
		out := make([]graph.Type, len(n.Outputs))
		for i, v := range n.Outputs {
			if v != nil {
				out[i] = types[v]
			}
		}
		if n.Def.FLOPs != nil {
			info.FLOPs = n.Def.FLOPs(n, in, out)
		}
		r.Layers = append(r.Layers, info)
		r.Parameters += info.Parameters
		r.FLOPs += info.FLOPs
	}
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
	defer rt.Close()
	p, err := compile.Compile(rt, g, store, compile.Options{})
	if err != nil {
		return err
	}
	if err := p.Bind(shapes...); err != nil {
		return err
	}
	m := p.Memory()
	r.Arena, r.Weights, r.Packed = m.Arena, m.Variables, m.Packed
	if steps {
		for _, s := range p.Steps() {
			r.Steps = append(r.Steps, fmt.Sprintf("%s (%s) %v -> %v, %d tiles", s.Kernel, s.Operator, s.Inputs, s.Outputs, s.Tiles))
		}
	}
	if c.json {
		c.printJSON(r)
		return nil
	}
	c.printInspect(g, r)
	return nil
}

func valueInfos(g *graph.Graph, vs []*graph.Value) []valueInfo {
	out := []valueInfo{}
	for _, v := range vs {
		s := "?"
		if v.HasRank {
			s = g.ShapeString(v.Shape)
		}
		out = append(out, valueInfo{v.Name, v.DType.String(), s})
	}
	return out
}

// concreteTypes infers the types of all values for the given input shapes.
func concreteTypes(g *graph.Graph, shapes [][]int) map[*graph.Value]graph.Type {
	types := map[*graph.Value]graph.Type{}
	for i, v := range g.Inputs {
		types[v] = graph.Type{DType: v.DType, Shape: shapes[i], HasRank: true}
	}
	for _, n := range g.Nodes {
		in := make([]graph.Type, len(n.Inputs))
		for i, v := range n.Inputs {
			if v == nil {
				continue
			}
			if _, ok := types[v]; !ok {
				types[v] = v.Type
			}
			in[i] = types[v]
		}
		for i, t := range n.InferTypes(in, len(n.Outputs)) {
			if n.Outputs[i] != nil {
				types[n.Outputs[i]] = t
			}
		}
	}
	return types
}

func (c *cli) printInspect(g *graph.Graph, r inspectResult) {
	w := c.stdout
	fmt.Fprintf(w, "%s: %s, %s parameters\n", r.Model, bytesText(r.FileBytes), thousands(r.Parameters))
	for _, v := range r.Inputs {
		fmt.Fprintf(w, "input   %s %s %s\n", v.Name, v.DType, v.Shape)
	}
	for _, v := range r.Outputs {
		fmt.Fprintf(w, "output  %s %s %s\n", v.Name, v.DType, v.Shape)
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "layer\toperator\toutput\tparameters\tFLOPs")
	for _, l := range r.Layers {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", l.Name, l.Operator, tensor.ShapeString(l.Output), thousands(l.Parameters), thousands(int(l.FLOPs)))
	}
	t.Flush()
	fmt.Fprintf(w, "\nbatch %d: %s FLOPs, arena %s, weights %s, packed weights %s\n", r.Batch, thousands(int(r.FLOPs)), bytesText(r.Arena), bytesText(r.Weights), bytesText(r.Packed))
	if len(r.Steps) > 0 {
		fmt.Fprintln(w, "\nsteps of the compiled program:")
		for i, s := range r.Steps {
			fmt.Fprintf(w, "%4d  %s\n", i, s)
		}
	}
	if len(g.Meta) > 0 {
		fmt.Fprintln(w, "\nmetadata:")
		for _, m := range g.Meta {
			fmt.Fprintf(w, "  %s = %s\n", m.Key, m.Value)
		}
	}
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func bytesText(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.2f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.2f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return strconv.FormatInt(n, 10) + " B"
}
