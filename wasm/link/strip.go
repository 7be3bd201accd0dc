package link

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// StripInfo says what [Strip] found.
type StripInfo struct {
	Funcs  int // functions in the table
	Zeroed int // bytes of tables that are zero now
}

// Layout of Go 1.26's function table (runtime.pcHeader, runtime._func): offsets in bytes.
const (
	pcMagic       = 0xfffffff1
	headerNfunc   = 8
	headerNames   = 32
	headerCU      = 40
	headerFiles   = 48
	headerPC      = 56
	headerFuncs   = 64
	funcName      = 4
	funcSP        = 16
	funcFile      = 20
	funcLine      = 24
	funcNPC       = 28
	funcCU        = 32
	funcStart     = 36
	funcNData     = 43
	funcSize      = 44
	pcInlTree     = 2
	pcArgLive     = 3
	dataInlTree   = 3
	dataArgInfo   = 5
	dataArgLive   = 6
	noData        = 0xffffffff
	smallestSkip  = 16  // a run of zero bytes shorter than this costs more as a new segment
	mostSegments  = 500 // browsers take 100,000; brotli likes few
	runtimePrefix = "runtime."
)

// Strip empties what a Go program carries only to print stack traces: names of functions outside the runtime, files, line numbers, and the trees of
// inlined calls. What the runtime needs to run, the sizes of frames, pointer maps and deferred calls, stays where it is. The tables keep their
// places, so no address changes; zero bytes are left out of the data section. Panics in such a program still say what went wrong, but
// not where.
//
// The module must be the output of Go 1.26's linker; another layout of the tables is an error.
func Strip(wasm []byte) ([]byte, StripInfo, error) {
	secs, err := sections(wasm)
	if err != nil {
		return nil, StripInfo{}, err
	}
	var info StripInfo
	out := append(make([]byte, 0, len(wasm)), wasm[:8]...)
	done := false
	for _, s := range secs {
		if s.id == secData {
			mem, base, err := readData(s.body)
			if err != nil {
				return nil, info, err
			}
			if info, err = stripTables(mem); err != nil {
				return nil, info, err
			}
			skip := smallestSkip
			for countSegments(mem, skip) > mostSegments {
				skip *= 2
			}
			s.body, done = writeData(mem, base, skip), true
		}
		out = appendSection(out, s.id, s.body)
	}
	if !done {
		return nil, info, errors.New("weft: link: the module has no data")
	}
	return out, info, nil
}

const secData = 11

// maxImage bounds the data that is laid out in memory.
const maxImage = 1 << 28

// readData lays the data segments out as they will be in memory, from address base on.
func readData(body []byte) (mem []byte, base uint32, err error) {
	type segment struct {
		at uint32
		b  []byte
	}
	var segs []segment
	r := reader{b: body}
	n := r.u32()
	low, high := uint64(1<<32), uint64(0)
	for i := uint32(0); i < n && r.err == nil; i++ {
		if mode := r.u32(); mode != 0 {
			return nil, 0, fmt.Errorf("weft: link: data segment %d is of kind %d; Go's linker writes plain ones", i, mode)
		}
		if op := r.byte(); op != 0x41 {
			return nil, 0, fmt.Errorf("weft: link: data segment %d starts at no constant", i)
		}
		at := r.s32()
		if end := r.byte(); end != 0x0b {
			return nil, 0, fmt.Errorf("weft: link: data segment %d starts at no constant", i)
		}
		b := r.vec()
		segs = append(segs, segment{uint32(at), b})
		low, high = min(low, uint64(uint32(at))), max(high, uint64(uint32(at))+uint64(len(b)))
	}
	if r.err != nil {
		return nil, 0, fmt.Errorf("weft: link: data section: %w", r.err)
	}
	if len(segs) == 0 || high-low > maxImage {
		return nil, 0, errors.New("weft: link: the data section is empty or impossibly large")
	}
	mem = make([]byte, high-low)
	for _, s := range segs {
		copy(mem[uint64(s.at)-low:], s.b)
	}
	return mem, uint32(low), nil
}

// segments calls f for every stretch of memory that holds something, leaving out runs of at least skip zero bytes.
func segments(mem []byte, skip int, f func(at, end int)) {
	for at := 0; at < len(mem); {
		if mem[at] == 0 {
			at++
			continue
		}
		end, zeros := at, 0
		for k := at; k < len(mem); k++ {
			if mem[k] != 0 {
				end, zeros = k+1, 0
			} else if zeros++; zeros >= skip {
				break
			}
		}
		f(at, end)
		at = end
	}
}

func countSegments(mem []byte, skip int) (n int) {
	segments(mem, skip, func(int, int) { n++ })
	return n
}

// writeData writes memory as segments, leaving out what is zero.
func writeData(mem []byte, base uint32, skip int) []byte {
	body := appendU32(nil, uint32(countSegments(mem, skip)))
	segments(mem, skip, func(at, end int) {
		body = append(body, 0, 0x41)
		body = appendS32(body, int32(base+uint32(at)))
		body = append(body, 0x0b)
		body = appendU32(body, uint32(end-at))
		body = append(body, mem[at:end]...)
	})
	return body
}

// stripTables empties the tables in the image of the memory.
func stripTables(mem []byte) (info StripInfo, err error) {
	bad := func(what string) (StripInfo, error) {
		return StripInfo{}, fmt.Errorf("weft: link: the program's function table is not as Go 1.26 writes it: %s", what)
	}
	magic := binary.LittleEndian.AppendUint32(nil, pcMagic)
	magic = append(magic, 0, 0, 1, 8) // padding, size of an instruction, size of a pointer
	at := bytes.Index(mem, magic)
	if at < 0 {
		return bad("no header")
	}
	t := mem[at:]
	if len(t) < headerFuncs+8 {
		return bad("the header is cut off")
	}
	word := func(off int) int { return int(binary.LittleEndian.Uint64(t[off:])) }
	nfunc, names, cu, files, pcs, funcs := word(headerNfunc), word(headerNames), word(headerCU), word(headerFiles), word(headerPC), word(headerFuncs)
	if nfunc <= 0 || nfunc > 1<<20 || !(headerFuncs+8 <= names && names < cu && cu <= files && files < pcs && pcs < funcs && funcs+8*nfunc+4 <= len(t)) {
		return bad("impossible offsets")
	}
	info.Funcs = nfunc
	pctab, table := t[pcs:funcs], t[funcs:]
	u32 := binary.LittleEndian.Uint32
	put := binary.LittleEndian.PutUint32
	keepName := make([]bool, cu-names)
	keepPC := make([]bool, len(pctab))
	keep := func(off uint32) bool {
		if off == 0 {
			return true
		}
		k := int(off)
		for k < len(pctab) {
			// a change of the value, zigzag, then of the position
			for range 2 {
				for k < len(pctab) && pctab[k] >= 0x80 {
					keepPC[k] = true
					k++
				}
				if k < len(pctab) {
					keepPC[k] = true
					k++
				}
			}
			if k < len(pctab) && pctab[k] == 0 {
				keepPC[k] = true
				return true
			}
		}
		return false
	}
	keepPC[0] = true
	for i := range nfunc {
		off := int(u32(table[8*i+4:]))
		if off+funcSize > len(table) {
			return bad("a function lies outside")
		}
		f := table[off:]
		npc, ndata := int(u32(f[funcNPC:])), int(f[funcNData])
		if npc > 16 || ndata > 16 || off+funcSize+4*(npc+ndata) > len(table) {
			return bad("a function has too many tables")
		}
		if name := int(int32(u32(f[funcName:]))); name >= 0 && name < cu-names {
			s := t[names+name : cu]
			end := bytes.IndexByte(s, 0)
			if end < 0 {
				return bad("a name does not end")
			}
			if bytes.HasPrefix(s, []byte(runtimePrefix)) { // by these the runtime knows its own goroutines
				for k := range end + 1 {
					keepName[name+k] = true
				}
			} else {
				put(f[funcName:], 0)
			}
		} else {
			return bad("a name lies outside")
		}
		put(f[funcFile:], 0)
		put(f[funcLine:], 0)
		put(f[funcCU:], 0)
		put(f[funcStart:], 0)
		if !keep(u32(f[funcSP:])) {
			return bad("a table of frame sizes does not end")
		}
		for k := range npc {
			p := f[funcSize+4*k:]
			if k == pcInlTree || k == pcArgLive {
				put(p, 0)
			} else if !keep(u32(p)) {
				return bad("a table does not end")
			}
		}
		for k := range ndata {
			if k == dataInlTree || k == dataArgInfo || k == dataArgLive {
				put(f[funcSize+4*(npc+k):], noData)
			}
		}
	}
	clearUnless := func(b []byte, keep []bool) {
		for i := range b {
			if b[i] != 0 && (keep == nil || !keep[i]) {
				b[i] = 0
				info.Zeroed++
			}
		}
	}
	// Offset 0 is the name of every function without one: it must be empty.
	keepName[0] = false
	clearUnless(t[names:cu], keepName)
	clearUnless(t[cu:pcs], nil)
	clearUnless(pctab, keepPC)
	return info, nil
}
