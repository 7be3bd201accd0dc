package main

import (
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/wasm/internal/host"
)

func main() { host.Run("full", op.Full) }
