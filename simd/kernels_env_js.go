package simd

// startEnv is empty in the page: the host chooses the set through options.
func startEnv() (name, numerics string) { return "", "" }
