// Package nn builds models: layers add nodes and variables to a graph.
//
// A model is written once, as a [Layer], and applied in as many graphs as are needed: a training graph with
// dropout and batch statistics, an evaluation graph without. Both name their variables alike and share
// their data through one graph.Store.
//
//	model := nn.Sequential{
//		nn.Conv2D{Filters: 6, Kernel: 5, Activation: nn.Relu},
//		nn.MaxPool2D{Size: 2},
//		nn.Flatten{},
//		nn.Dense{Units: 10},
//	}
//	g := graph.New()
//	c := nn.NewContext(g, nn.Options{Training: true, Seed: 1})
//	logits := model.Apply(c, g.Input("x", tensor.Float32, g.Symbol("N"), 1, 28, 28))
//
// The functional style is the same layers applied by hand: h := nn.Dense{Units: 64}.Apply(c, x).
// Images are [N, C, H, W] and sequences of feature maps [N, C, L], as in ONNX.
package nn
