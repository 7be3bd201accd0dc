//go:build !js

// Command app is the Go program of the page; it runs in the browser only (see demo/web/site).
package main

import "os"

func main() {
	os.Stderr.WriteString("weft: this program runs in a page: use make run\n")
	os.Exit(2)
}
