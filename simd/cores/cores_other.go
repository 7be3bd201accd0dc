//go:build !linux || !(amd64 || arm64)

package cores

// Current returns -1: the core is not known.
func Current() int { return -1 }

// Leave does nothing: where threads run is the system's.
func Leave(core int) bool { return false }
