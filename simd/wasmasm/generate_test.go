package wasmasm_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var generate = flag.Bool("generate", false, "write ops_gen.go")

type instruction struct {
	name, ident, operands, results, imm string
	code                                uint32
	mem, lanes                          int
}

// readInstructions parses testdata/instructions.txt.
func readInstructions(t *testing.T) []instruction {
	text, err := os.ReadFile("testdata/instructions.txt")
	if err != nil {
		t.Fatal(err)
	}
	var list []instruction
	for i, line := range strings.Split(string(text), "\n") {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		in := instruction{name: fields[0], mem: -1}
		prefix, code, found := strings.Cut(fields[1], ":")
		if !found {
			prefix, code = "0", prefix
		}
		p, err1 := strconv.ParseUint(prefix, 16, 8)
		c, err2 := strconv.ParseUint(code, 16, 16)
		operands, results, ok := strings.Cut(fields[2], ":")
		if err1 != nil || err2 != nil || !ok {
			t.Fatalf("instructions.txt:%d: %s", i+1, line)
		}
		in.code, in.operands, in.results = uint32(p<<16|c), operands, results
		for _, imm := range fields[3:] {
			kind, value, _ := strings.Cut(imm, "=")
			n, err := strconv.Atoi(value)
			switch {
			case err == nil && kind == "mem":
				in.mem = n
			case err == nil && kind == "lane":
				in.lanes = n
			default:
				t.Fatalf("instructions.txt:%d: immediate %s", i+1, imm)
			}
		}
		for _, word := range strings.FieldsFunc(in.name, func(r rune) bool { return r == '.' || r == '_' }) {
			in.ident += strings.ToUpper(word[:1]) + word[1:]
		}
		list = append(list, in)
	}
	slices.SortFunc(list, func(a, b instruction) int { return int(a.code) - int(b.code) })
	return list
}

// TestGenerate checks that ops_gen.go is what testdata/instructions.txt says; with -generate it writes it.
func TestGenerate(t *testing.T) {
	list := readInstructions(t)
	var b bytes.Buffer
	b.WriteString("// Code generated from testdata/instructions.txt by go test -generate. DO NOT EDIT.\n\npackage wasmasm\n\n")
	b.WriteString("// The instructions, named after the text format: i32.add is I32Add.\nconst (\n")
	for _, in := range list {
		fmt.Fprintf(&b, "%s Op = 0x%02X // %s\n", in.ident, in.code, in.name)
	}
	b.WriteString(")\n\nvar opList = [...]Op{\n")
	for _, in := range list {
		fmt.Fprintf(&b, "%s,\n", in.ident)
	}
	b.WriteString("}\n\nvar opTable = map[Op]opInfo{\n")
	for _, in := range list {
		fmt.Fprintf(&b, "%s: {name: %q, operands: %q, results: %q", in.ident, in.name, in.operands, in.results)
		switch {
		case in.mem >= 0 && in.lanes > 0:
			fmt.Fprintf(&b, ", imm: immMem | immLane, align: %d, lanes: %d", in.mem, in.lanes)
		case in.mem >= 0:
			fmt.Fprintf(&b, ", imm: immMem, align: %d", in.mem)
		case in.lanes > 0:
			fmt.Fprintf(&b, ", imm: immLane, lanes: %d", in.lanes)
		}
		b.WriteString("},\n")
	}
	b.WriteString("}\n")
	want, err := format.Source(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if *generate {
		if err := os.WriteFile("ops_gen.go", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := os.ReadFile("ops_gen.go"); !bytes.Equal(got, want) {
		t.Error("ops_gen.go is not what instructions.txt says: run make generate")
	}
}
