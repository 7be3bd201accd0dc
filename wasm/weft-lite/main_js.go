package main

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/wasm/api"
	"github.com/weft-ml/weft/wasm/internal/host"
)

// operators are those of common networks for pictures, and of what layers models export.
var operators = []*graph.Def{
	&op.DefAdd, &op.DefAveragePool, &op.DefBatchNormalization, &op.DefCast, &op.DefClip, &op.DefConcat, &op.DefConstant, &op.DefConv, &op.DefDropout, &op.DefFlatten, &op.DefGemm,
	&op.DefGlobalAveragePool, &op.DefGlobalMaxPool, &op.DefIdentity, &op.DefLeakyRelu, &op.DefMatMul, &op.DefMaxPool, &op.DefMul, &op.DefRelu, &op.DefReshape, &op.DefSigmoid,
	&op.DefSoftmax, &op.DefSqueeze, &op.DefSub, &op.DefTanh, &op.DefTranspose, &op.DefUnsqueeze,
}

func main() { host.Run("lite", operators, api.Prediction) }
