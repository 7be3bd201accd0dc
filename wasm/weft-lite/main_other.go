//go:build !js

package main

import "os"

func main() {
	os.Stderr.WriteString("weft: this program is loaded by the JavaScript package; build it with GOOS=js GOARCH=wasm\n")
	os.Exit(2)
}
