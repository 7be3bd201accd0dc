package api

import (
	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/tensor"
)

// modelSaliency writes how strongly each element of the input moves the score of a class.
func (s *Server) modelSaliency(a val) error {
	m := lookup[*model](s, a.id("id"), "model")
	x := m.ready(m.inputs(s, a.get("in")))
	y := m.graph.Outputs[0]
	if len(m.graph.Inputs) != 1 || len(y.Shape) != 2 || y.Shape[1] < 1 || m.graph.Inputs[0].DType != tensor.Float32 {
		fail(codeArgument, "model.saliency", "needs a model of one float32 input whose output is [n, classes]")
	}
	class := a.count("class", 0, 0)
	if class >= y.Shape[1] {
		fail(codeArgument, "model.saliency", "class must be below ", y.Shape[1])
	}
	if m.saliency == nil {
		g, err := m.net.Saliency(nn.Options{Store: m.store})
		if err != nil {
			return err
		}
		if m.saliency, err = compile.Compile(s.runtime(), g, m.store, compile.Options{MaxBinds: 2}); err != nil {
			return err
		}
		for _, v := range g.Vars {
			v.Init = nil
		}
	}
	pick := tensor.New(tensor.Float32, 1, y.Shape[1])
	pick.Float32s()[class] = 1
	out, err := m.saliency.Run(x[0], pick)
	if err != nil {
		return err
	}
	s.w.fields(1)
	s.w.key("map")
	s.w.tensor(out[0])
	return nil
}
