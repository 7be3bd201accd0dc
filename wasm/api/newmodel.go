package api

import (
	"strconv"

	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/nn/keras"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/core/train"
	"github.com/weft-ml/weft/models"
)

// modelNew makes a model with initial weights.
func (s *Server) modelNew(a val) error {
	id := s.unused(a.id("id"))
	m := &model{kind: a.text("kind", "sequential"), name: a.text("name", ""), seed: a.seed(s.seed)}
	switch m.kind {
	case "sequential", "functional":
		if m.name == "" {
			m.name = m.kind
		}
		k, err := s.layersModel(m, a)
		if err != nil {
			return err
		}
		m.layers = k
		if m.net, err = k.Network(); err != nil {
			return err
		}
	case "builtin":
		name := a.text("builtin", "lenet")
		b, err := models.Get(name)
		if err != nil {
			return err
		}
		shape := []int{1, 28, 28}
		if a.get("shape").ok() {
			shape = a.shape("shape")
		}
		if m.name == "" {
			m.name = name
		}
		classes := a.count("classes", 10, 2)
		if classes > 1<<20 {
			fail(codeArgument, "model", "classes must be at most ", 1<<20)
		}
		m.recipe = &b.Recipe
		var l nn.Layer
		if err := catch(func() { l = b.New(shape, classes) }); err != nil {
			return err
		}
		m.net = train.Layered(m.name, l, shape)
	default:
		fail(codeArgument, "model", "kind must be sequential, functional or builtin, not ", strconv.Quote(m.kind))
	}
	if err := m.prepare(s); err != nil {
		return err
	}
	s.add(id, m)
	m.describe(s, false)
	return nil
}

// catch returns the error that f panics with.
func catch(f func()) (err error) {
	defer tensor.Catch(&err)
	f()
	return nil
}

// layersModel reads the layers of a sequential or functional model.
func (s *Server) layersModel(m *model, a val) (*keras.Model, error) {
	var specs []keras.Spec
	list := a.get("layers")
	for c := list.first(); c.r != nil; c = c.after(list) {
		sp := keras.Spec{Kind: c.text("kind", ""), Name: c.text("name", ""), Config: c.get("config").plainMap()}
		for i := c.get("inbound").first(); i.r != nil; i = i.after(c.get("inbound")) {
			sp.Inbound = append(sp.Inbound, refs(i))
		}
		specs = append(specs, sp)
	}
	if m.kind == "sequential" {
		return keras.Sequential(m.name, specs)
	}
	var inputs []string
	for _, r := range refs(a.get("inputs")) {
		inputs = append(inputs, r.Layer)
	}
	return keras.Functional(m.name, specs, inputs, refs(a.get("outputs")))
}

// refs reads a list of layer names or [name, call].
func refs(v val) []keras.Ref {
	if v.is(tagString) {
		return []keras.Ref{{Layer: string(v.raw())}}
	}
	var out []keras.Ref
	for c := v.first(); c.r != nil; c = c.after(v) {
		r := keras.Ref{}
		switch {
		case c.is(tagString):
			r.Layer = string(c.raw())
		case c.is(tagList) && c.len() == 2 && c.first().is(tagString):
			r.Layer = string(c.first().raw())
			n, ok := c.first().after(c).number()
			if !ok || n != float64(int(n)) {
				fail(codeArgument, "model", "a call of a layer is given as [name, number]")
			}
			r.Call = int(n)
		default:
			fail(codeArgument, "model", "layers are named by strings or [name, call]")
		}
		out = append(out, r)
	}
	return out
}
