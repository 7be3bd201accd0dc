package vecir

import (
	"fmt"
	"io"
	"strings"
)

// WriteTable writes the Go declaration of simd's vecTable of one set of kernels: element is the type of an entry, value the
// entry of a kernel.
func WriteTable(w io.Writer, name, element string, kernels []*Kernel, value func(*Kernel) string) {
	fmt.Fprintf(w, "// vec%s lists the vector kernels of the set.\nvar vec%s = vecTable{\n", name, name)
	sizes := map[string]string{
		"mapOp": "NumUnary", "zip": "NumBinary", "zipScalar": "NumBinary", "scalarZip": "NumBinary",
		"reduce": "NumReduce + 1", "reduceRow": "NumReduce",
	}
	written := map[string]bool{}
	for _, k := range kernels {
		field, _, ok := strings.Cut(k.Slot, "[")
		if !ok || written[field] {
			continue
		}
		written[field] = true
		fmt.Fprintf(w, "%s: [%s]%s{\n", field, sizes[field], element)
		for _, j := range kernels {
			if f, i, ok := strings.Cut(strings.TrimSuffix(j.Slot, "]"), "["); ok && f == field {
				fmt.Fprintf(w, "%s: %s,\n", i, value(j))
			}
		}
		fmt.Fprintln(w, "},")
	}
	for _, k := range kernels {
		if k.Slot != "" && !strings.Contains(k.Slot, "[") {
			fmt.Fprintf(w, "%s: %s,\n", k.Slot, value(k))
		}
	}
	fmt.Fprintln(w, "}")
}
