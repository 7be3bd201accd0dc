package api

import (
	"strconv"
	"strings"

	"github.com/weft-ml/weft/core/optim"
)

// optimizerHandle is the state of an optimizer of recorded graphs: its step count; its slots are variables of the server's store.
type optimizerHandle struct {
	id   uint64
	step int
}

func (h *optimizerHandle) free(s *Server) {
	s.progs.dropOptimizer(s, h.id)
	prefix := "opt" + uitoa(h.id) + "/"
	for _, c := range s.vars.Cells() {
		if strings.HasPrefix(c.Name, prefix) {
			defer s.vars.Remove(c.Name)
		}
	}
}

// forget removes a variable and its slots in every optimizer.
func (s *Server) forget(name string) {
	s.vars.Remove(name)
	for _, c := range s.vars.Cells() {
		if strings.Contains(c.Name, "/"+name+".") {
			defer s.vars.Remove(c.Name)
		}
	}
}

// stepper returns an optimizer's step count, made when it is first used.
func (s *Server) stepper(id uint64) *optimizerHandle {
	if s.handles.get(id) == nil {
		s.handles.set(id, &optimizerHandle{id: id})
	}
	return lookup[*optimizerHandle](s, id, "optimizer")
}

// defaults says what an optimizer's settings are where they are not given.
type defaults struct {
	lr      map[string]float64
	epsilon float64 // 0: core/optim's own
	rho     float64
}

// kerasDefaults are Keras's settings.
var kerasDefaults = defaults{
	lr:      map[string]float64{"sgd": 0.01, "momentum": 0.01, "nesterov": 0.01},
	epsilon: 1e-7, rho: 0.9,
}

// parseOptimizer reads an optimizer: a name, or {name, learningRate, ...}.
func parseOptimizer(v val, d defaults) (optim.Optimizer, float64) {
	name := "adam"
	switch {
	case v.is(tagString):
		name = string(v.raw())
	case v.is(tagMap):
		name = v.text("name", name)
	case v.ok():
		fail(codeArgument, "optimizer", "must be a name or {name, ...}")
	}
	name = strings.ToLower(name)
	if name == "sgd" && v.float("momentum", 0) != 0 {
		name = "momentum"
	}
	lr := d.lr[name]
	if lr == 0 {
		lr = 1e-3
	}
	lr = v.float("learningRate", lr)
	if !(lr > 0) {
		fail(codeArgument, "optimizer", "learningRate must be a positive number, not ", lr)
	}
	wd := float32(v.float("weightDecay", 0))
	eps := float32(v.float("epsilon", d.epsilon))
	num := func(key string, def float64) float32 { return float32(v.float(key, def)) }
	if wd < 0 || eps < 0 {
		fail(codeArgument, "optimizer", "weightDecay and epsilon must be 0 or more")
	}
	switch name {
	case "sgd":
		return optim.SGD{WeightDecay: wd}, lr
	case "momentum", "nesterov":
		return optim.SGD{Momentum: num("momentum", 0.9), Nesterov: v.flag("nesterov", name == "nesterov") || v.flag("useNesterov", false), WeightDecay: wd}, lr
	case "rmsprop":
		return optim.RMSProp{Rho: num("rho", d.rho), Epsilon: eps, WeightDecay: wd}, lr
	case "adagrad":
		return optim.Adagrad{Epsilon: eps, WeightDecay: wd}, lr
	case "adam", "adamw":
		return optim.Adam{Beta1: num("beta1", 0), Beta2: num("beta2", 0), Epsilon: eps, WeightDecay: wd, Decoupled: name == "adamw"}, lr
	case "lion":
		return optim.Lion{Beta1: num("beta1", 0), Beta2: num("beta2", 0), WeightDecay: wd}, lr
	}
	fail(codeArgument, "optimizer", strconv.Quote(name), " is not one of ", strings.Join(optim.Names(), ", "))
	return nil, 0
}

// parseSchedule reads a schedule: a specification, or {name, parameter: number, ...} with a warm-up as warmup: steps.
func parseSchedule(v val) optim.Schedule {
	spec := ""
	switch {
	case v.is(tagString):
		spec = string(v.raw())
	case v.is(tagMap):
		spec = v.text("name", "constant")
		for c := v.first(); c.r != nil; c = c.after(v) {
			if f, ok := c.number(); ok && c.key() != "warmup" {
				spec += ":" + c.key() + "=" + strconv.FormatFloat(f, 'g', -1, 64)
			}
		}
		if n := v.whole("warmup", 0); n > 0 {
			spec = "warmup:steps=" + itoa(n) + "," + spec
		}
	default:
		fail(codeArgument, "schedule", "must be a specification or {name, ...}")
	}
	s, err := optim.ParseSchedule(spec)
	if err != nil {
		panic(err)
	}
	return s
}
