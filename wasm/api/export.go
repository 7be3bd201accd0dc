package api

// modelExport writes the model, bound to batches of one size, as a program file that the kernel module runs without Go.
func (s *Server) modelExport(a val) error {
	m := lookup[*model](s, a.id("id"), "model")
	batch := a.count("batch", 1, 1)
	var shapes [][]int
	for _, in := range m.graph.Inputs {
		shape := append([]int{}, in.Shape...)
		for i, d := range shape {
			if d >= 0 {
				continue
			}
			if i > 0 {
				fail(codeArgument, "model.export", "dimension ", i, " of input ", in.Name, " is free; only the first can be, and becomes the batch")
			}
			shape[i] = batch
		}
		shapes = append(shapes, shape)
	}
	old := m.graph.Meta
	m.graph.Meta = m.meta
	b, err := m.prog.Export(shapes...)
	m.graph.Meta = old
	if err != nil {
		return err
	}
	s.w.fields(1)
	s.w.key("bytes")
	s.w.bytes(b)
	return nil
}
