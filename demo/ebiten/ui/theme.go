package ui

import "image/color"

// Color is a colour without premultiplied alpha.
type Color = color.NRGBA

// Theme has the colours of a window. They are those of the page of demo/web.
type Theme struct {
	Name                          string
	Ground, Surface, Sunk         Color
	Line, StrongLine, Text, Quiet Color
	Accent, OnAccent, Raised      Color
	Warm, Good, Bad               Color
	Ink, Map                      Ramp // paper to ink; low to high activation
}

// Ramp is 256 colours.
type Ramp [256]Color

// At returns the colour of a value of 0 to 1.
func (r *Ramp) At(v float32) Color {
	if !(v > 0) {
		return r[0]
	}
	return r[min(255, int(v*255+0.5))]
}

func hex(v uint32) Color { return Color{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 255} }

// ramp interpolates between colours at equal distances.
func ramp(stops ...uint32) (r Ramp) {
	for i := range r {
		at := float64(i) / 255 * float64(len(stops)-1)
		k := min(int(at), len(stops)-2)
		a, b, t := hex(stops[k]), hex(stops[k+1]), at-float64(k)
		mix := func(a, b uint8) uint8 { return uint8(float64(a) + (float64(b)-float64(a))*t + 0.5) }
		r[i] = Color{R: mix(a.R, b.R), G: mix(a.G, b.G), B: mix(a.B, b.B), A: 255}
	}
	return r
}

// Light and Dark are the two themes.
var (
	Light = &Theme{
		Name: "light", Ground: hex(0xf6f5f2), Surface: hex(0xffffff), Sunk: hex(0xf1f0ec),
		Line: hex(0xe3e1db), StrongLine: hex(0x8d8b83), Text: hex(0x1b1c20), Quiet: hex(0x5d5f66),
		Accent: hex(0x3d4fd1), OnAccent: hex(0xffffff), Raised: hex(0xffffff),
		Warm: hex(0xa85a12), Good: hex(0x1d7a4c), Bad: hex(0xb3261e),
		Ink: ramp(0xf1f0ec, 0xa9a9b0, 0x16171b), Map: ramp(0xf1f0ec, 0xc5cbf3, 0x5c6bdc, 0x1f2878),
	}
	Dark = &Theme{
		Name: "dark", Ground: hex(0x131418), Surface: hex(0x1c1e24), Sunk: hex(0x15161b),
		Line: hex(0x2f323b), StrongLine: hex(0x747986), Text: hex(0xecedf0), Quiet: hex(0xa3a7b2),
		Accent: hex(0x98a8ff), OnAccent: hex(0x12162c), Raised: hex(0x3a3f4c),
		Warm: hex(0xe5a561), Good: hex(0x6bcf9a), Bad: hex(0xff9d94),
		Ink: ramp(0x15161b, 0x6b6f7a, 0xffffff), Map: ramp(0x15161b, 0x333c86, 0x7f90ff, 0xf0f2ff),
	}
)
