package api

import "github.com/weft-ml/weft/core/compile"

// profileStart begins to measure what programs do.
func (s *Server) profileStart(a val) error {
	if s.opt.Now == nil {
		fail(codeState, "profile", "this build has no clock")
	}
	if err := s.runtime().StartProfile(compile.ProfileOptions{Now: s.opt.Now, Limits: a.flag("limits", true)}); err != nil {
		return err
	}
	s.w.null()
	return nil
}

// profileStop ends the profile and writes it, its rows by their time.
func (s *Server) profileStop(a val) error {
	p := s.runtime().StopProfile()
	if p == nil {
		fail(codeState, "profile", "no profile is under way")
	}
	w := &s.w
	num := func(key string, v float64) {
		w.key(key)
		w.number(v)
	}
	str := func(key, v string) {
		w.key(key)
		w.str(v)
	}
	shapes := func(key string, list [][]int) {
		w.key(key)
		w.list(len(list))
		for _, s := range list {
			w.shape(s)
		}
	}
	w.fields(8)
	num("threads", float64(p.Threads))
	num("flops", p.Limits.FLOPS)
	num("bytes", p.Limits.Bytes)
	num("runs", float64(p.Runs))
	num("nanos", float64(p.Nanos))
	num("dropped", float64(p.Dropped))
	w.key("rows")
	rows := p.Sorted()
	w.list(len(rows))
	for i := range rows {
		r := &rows[i]
		w.fields(10)
		num("program", float64(r.Program))
		str("operator", r.Operator)
		str("node", r.Node)
		str("kernels", r.Kernels)
		shapes("inputs", r.Inputs)
		shapes("outputs", r.Outputs)
		num("flops", r.FLOPs)
		num("bytes", float64(r.Bytes))
		num("count", float64(r.Count))
		num("nanos", float64(r.Nanos))
	}
	w.key("trace")
	w.bytes(p.Trace())
	return nil
}
