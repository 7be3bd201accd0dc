//go:build !js

package simd

import "os"

// startEnv returns WEFT_KERNELS and WEFT_NUMERICS. Only native builds look; a page passes options instead.
func startEnv() (name, numerics string) {
	return os.Getenv("WEFT_KERNELS"), os.Getenv("WEFT_NUMERICS")
}
