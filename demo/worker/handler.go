package main

import (
	"log"
	"net/http"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/models/lenet/weights"
	"github.com/weft-ml/weft/native/serve"
	"github.com/weft-ml/weft/native/version"
)

// Bounds of a request, lower than the command line's: the platform gives an isolate 128 MB, of which a picture that is decoded
// takes up to 20 bytes per pixel.
const (
	maxBody     = 4 << 20 // bytes
	maxPixels   = 3_000_000
	maxElements = 1 << 20
)

// operators are those of the model, and no others: what they can be fused to and their gradients come along, and all of op.Core would be another 0.14 MB with gzip.
var operators = []*graph.Def{&op.DefConv, &op.DefFlatten, &op.DefGemm, &op.DefMaxPool, &op.DefRelu}

// around wraps the handler; the program of the tests sets it.
var around = func(h http.Handler) http.Handler { return h }

// newHandler returns the handler of "weft serve", with LeNet as its model. It has no time limit of its own: nothing runs while it computes, and the platform
// ends what takes too long.
func newHandler() (http.Handler, error) {
	s := serve.New(serve.Options{Threads: 1, MaxBody: maxBody, MaxPixels: maxPixels, MaxElements: maxElements, Version: version.Tree, Log: func(text string) { log.Print("weft: ", text) }})
	if _, err := s.Load("lenet", weights.MNIST, serve.LoadOptions{Operators: operators}); err != nil {
		return nil, err
	}
	return around(s), nil
}
