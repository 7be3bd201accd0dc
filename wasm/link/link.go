// Package link gives a Go program for WebAssembly its memory from outside.
//
// The Go linker defines the program's memory inside the module. Weft's kernel module has to run on that same memory,
// and the host instantiates the kernels first, because the program imports their functions. So [ImportMemory]
// turns the definition into an import, env.memory: the host creates the memory, then the kernels on it, then Go.
// The export "mem", which Go's glue code reads, stays; a memory's import moves no function index, so no code changes.
package link

import (
	"encoding/binary"
	"fmt"
)

// MaxPages is how many pages of 64 KiB 32-bit addresses reach, and the maximum that the shared variant declares.
const MaxPages = 65536

// Names of the import.
const (
	ImportModule = "env"
	ImportName   = "memory"
)

// PagesSection is the name of the custom section with the initial size of the memory in pages, a little-endian uint32: the host
// reads it from the compiled module, since the limits of an import cannot be asked for.
const PagesSection = "weft.memory"

// Info says what was found in the module.
type Info struct {
	Pages   uint32 // initial size of the memory, which the host must create at least
	Imports int    // imports that were there before
}

// section is one section of a module.
type section struct {
	id    byte
	body  []byte // without its header
	start int    // offset of body in the file
}

const (
	secType   = 1
	secImport = 2
	secMemory = 5
	secExport = 7
)

// order is the place of a section in a module: the data count (12) stands before code (10).
func order(id byte) int {
	switch {
	case id <= 9:
		return 2 * int(id)
	case id == 12:
		return 19
	}
	return 2 * int(id)
}

// ImportMemory returns the module with its memory imported as env.memory: without a maximum, or with shared as a
// shared memory of at most MaxPages. The input must be a module that defines exactly one 32-bit memory and exports it
// as "mem", as the output of Go's linker does; anything else is an error that says what is wrong and where.
func ImportMemory(wasm []byte, shared bool) ([]byte, Info, error) {
	secs, err := sections(wasm)
	if err != nil {
		return nil, Info{}, err
	}
	find := func(id byte) *section {
		for i := range secs {
			if secs[i].id == id {
				return &secs[i]
			}
		}
		return nil
	}
	var info Info
	imports, memory, exports := find(secImport), find(secMemory), find(secExport)
	var importBody []byte
	if imports != nil {
		n, rest, err := readImports(imports)
		if err != nil {
			return nil, Info{}, err
		}
		info.Imports, importBody = n, rest
	}
	if memory == nil {
		return nil, Info{}, fmt.Errorf("weft: link: the module defines no memory; it must be the output of GOOS=js GOARCH=wasm go build")
	}
	if info.Pages, err = readMemory(memory); err != nil {
		return nil, Info{}, err
	}
	if exports == nil {
		return nil, Info{}, fmt.Errorf("weft: link: the module exports nothing; a Go program exports its memory as mem")
	}
	if err := checkExport(exports); err != nil {
		return nil, Info{}, err
	}

	body := appendU32(nil, uint32(info.Imports)+1)
	body = append(body, importBody...)
	body = appendName(appendName(body, ImportModule), ImportName)
	if shared {
		body = appendU32(appendU32(append(body, 2, 3), info.Pages), MaxPages)
	} else {
		body = appendU32(append(body, 2, 0), info.Pages)
	}

	out := append(make([]byte, 0, len(wasm)+64), wasm[:8]...)
	written := false
	for _, s := range secs {
		if s.id == secMemory || s.id == secImport {
			if s.id == secImport {
				out, written = appendSection(out, secImport, body), true
			}
			continue
		}
		if !written && s.id != 0 && order(s.id) > order(secImport) {
			out, written = appendSection(out, secImport, body), true
		}
		out = appendSection(out, s.id, s.body)
	}
	out = appendSection(out, 0, binary.LittleEndian.AppendUint32(appendName(nil, PagesSection), info.Pages))
	return out, info, nil
}

// sections splits a module, checking the header, the lengths and the order.
func sections(wasm []byte) ([]section, error) {
	if len(wasm) < 8 || string(wasm[:4]) != "\x00asm" {
		return nil, fmt.Errorf("weft: link: not a WebAssembly module (%d bytes)", len(wasm))
	}
	if v := binary.LittleEndian.Uint32(wasm[4:]); v != 1 {
		return nil, fmt.Errorf("weft: link: WebAssembly version %d, want 1", v)
	}
	var secs []section
	last := 0
	r := reader{b: wasm, at: 8}
	for r.at < len(wasm) {
		start := r.at
		id := r.byte()
		body := r.vec()
		if r.err != nil {
			return nil, fmt.Errorf("weft: link: section %d at offset %d: %w", id, start, r.err)
		}
		if id > 13 {
			return nil, fmt.Errorf("weft: link: unknown section %d at offset %d", id, start)
		}
		if id != 0 {
			if order(id) <= last {
				return nil, fmt.Errorf("weft: link: section %d at offset %d is out of order", id, start)
			}
			last = order(id)
		}
		secs = append(secs, section{id, body, r.at - len(body)})
	}
	return secs, nil
}
