package vecir

import (
	"fmt"
	"io"
	"strings"
)

// WriteTable writes the Go declarations of simd's vecTable and rowTable of one set of kernels: element and rowElement are the types of
// their entries, value and rowValue the entry of a kernel.
func WriteTable(w io.Writer, name, element string, kernels []*Kernel, value func(*Kernel) string, rowElement string, rowValue func(*RowKernel) string) {
	var slots, rows []slot
	for _, k := range kernels {
		slots = append(slots, slot{k.Slot, value(k)})
	}
	for _, k := range RowKernels() {
		rows = append(rows, slot{k.Slot, rowValue(k)})
	}
	fmt.Fprintf(w, "// vec%s lists the vector kernels of the set.\nvar vec%s = vecTable{\n", name, name)
	writeSlots(w, element, slots)
	fmt.Fprintf(w, "rows: rowTable{\n")
	writeSlots(w, rowElement, rows)
	fmt.Fprintf(w, "},\n}\n")
}

// slot is an entry of a table: a field, or an element of a field that is an array.
type slot struct{ name, value string }

func writeSlots(w io.Writer, element string, slots []slot) {
	sizes := map[string]string{
		"mapOp": "NumUnary", "zip": "NumBinary", "zipScalar": "NumBinary", "scalarZip": "NumBinary",
		"reduce": "NumReduce + 1", "reduceRow": "NumReduce", "reduceColumns": "NumReduce", "rowReduce": "NumReduce",
		"compare": "GreaterOrEqual + 1", "compareScalar": "GreaterOrEqual + 1",
	}
	written := map[string]bool{}
	for _, k := range slots {
		field, _, ok := strings.Cut(k.name, "[")
		if !ok || written[field] {
			continue
		}
		written[field] = true
		fmt.Fprintf(w, "%s: [%s]%s{\n", field, sizes[field], element)
		for _, j := range slots {
			if f, i, ok := strings.Cut(strings.TrimSuffix(j.name, "]"), "["); ok && f == field {
				fmt.Fprintf(w, "%s: %s,\n", i, j.value)
			}
		}
		fmt.Fprintln(w, "},")
	}
	for _, k := range slots {
		if k.name != "" && !strings.Contains(k.name, "[") {
			fmt.Fprintf(w, "%s: %s,\n", k.name, k.value)
		}
	}
}
