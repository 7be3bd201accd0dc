//go:build !js

package main

import "os"

func main() {
	os.Stderr.WriteString("weft: this program runs in a Cloudflare Worker; \"make worker\" builds it, and \"weft serve\" is its twin here\n")
	os.Exit(2)
}
