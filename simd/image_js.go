//go:build !noasm

package simd

import "unsafe"

// CurrentImage returns a copy of the current kernel set and of what its functions have captured, for a memory that has no Go program: compiled
// step kernels read it. relocs are the places in it, in bytes, of addresses relative to its start.
func CurrentImage() (image []byte, relocs []int) {
	image = append(image, BytesOf(current)...)
	t := &relaxedTiles
	if current.Class == MulAdd {
		t = &simd128Tiles
	}
	add := func(b []byte) (at int) {
		for len(image)%8 != 0 {
			image = append(image, 0)
		}
		at = len(image)
		image = append(image, b...)
		return at
	}
	point := func(place, at int) {
		for i := range 8 {
			image[place+i] = byte(at >> (8 * i))
		}
		relocs = append(relocs, place)
	}
	// Functions capture these, or parts of them.
	tables := [2][]byte{BytesOf(t), BytesOf(&vecWasm)}
	var places [2]int
	for i, b := range tables {
		places[i] = add(b)
	}
	captured := func(address uintptr) (at int, ok bool) {
		for i, b := range tables {
			if off := address - uintptr(unsafe.Pointer(&b[0])); off < uintptr(len(b)) {
				return places[i] + int(off), true
			}
		}
		return 0, false
	}
	functions := func(from, size int) {
		for place := from; place < from+size; place += 8 {
			word := *(**[2]uintptr)(unsafe.Pointer(&image[place]))
			if word == nil {
				continue
			}
			// A function value is the address of its code's address and of what it has captured, one pointer at most.
			var closure [2]uintptr
			if at, ok := captured(word[1]); ok {
				c := add(BytesOf(&closure))
				point(c+8, at)
				point(place, c)
				continue
			}
			point(place, add(BytesOf(&closure)))
		}
	}
	g := &current.gemm
	gemm := OffsetOf(current, g)
	functions(gemm, OffsetOf(g, &g.mr))
	functions(gemm+OffsetOf(g, &g.packBSize), len(BytesOf(g))-OffsetOf(g, &g.packBSize))
	functions(OffsetOf(current, &current.conv), len(BytesOf(&current.conv)))
	functions(OffsetOf(current, &current.vec), len(BytesOf(&current.vec)))
	return image, relocs
}
