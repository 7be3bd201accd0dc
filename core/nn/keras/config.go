package keras

import (
	"strconv"
	"strings"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/random"
	"github.com/weft-ml/weft/core/tensor"
)

// Config holds a layer's settings: nil, bool, float64, string, []any and map[string]any.
type Config map[string]any

// fail panics with an error that names the layer.
func (l *layer) fail(parts ...any) { tensor.Fail(l.kind+" "+strconv.Quote(l.name), parts...) }

func (l *layer) bad(key, want string) { l.fail("config ", key, " must be ", want) }

func (l *layer) float(key string, def float64) float64 {
	switch v := l.config[key].(type) {
	case nil:
		return def
	case float64:
		return v
	}
	l.bad(key, "a number")
	return 0
}

// whole returns a setting that is a whole number of at least least.
func (l *layer) whole(key string, def, least int) int {
	return l.toWhole(key, l.float(key, float64(def)), least)
}

const maxSize = 1 << 30

func (l *layer) toWhole(key string, v float64, least int) int {
	if v != float64(int(v)) || int(v) < least || v > maxSize {
		l.bad(key, "a whole number of at least "+strconv.Itoa(least))
	}
	return int(v)
}

// sizes returns a setting of n whole numbers, given as one for all or as a list; nil when it is not given.
func (l *layer) sizes(key string, n, least int) []int {
	out := make([]int, n)
	switch v := l.config[key].(type) {
	case nil:
		return nil
	case float64:
		for i := range out {
			out[i] = l.toWhole(key, v, least)
		}
	case []any:
		if len(v) == 1 && n > 1 {
			v = []any{v[0], v[0]}
		}
		if len(v) != n {
			l.bad(key, "a number or a list of "+strconv.Itoa(n))
		}
		for i := range out {
			f, ok := v[i].(float64)
			if !ok {
				l.bad(key, "a number or a list of numbers")
			}
			out[i] = l.toWhole(key, f, least)
		}
	default:
		l.bad(key, "a number or a list of numbers")
	}
	return out
}

// list returns a setting of whole numbers; -1 stands for null.
func (l *layer) list(key string) []int {
	v, ok := l.config[key].([]any)
	if !ok {
		if l.config[key] != nil {
			l.bad(key, "a list of numbers")
		}
		return nil
	}
	out := make([]int, len(v))
	for i := range v {
		switch x := v[i].(type) {
		case nil:
			out[i] = -1
		case float64:
			out[i] = l.toWhole(key, x, -1)
		default:
			l.bad(key, "a list of numbers")
		}
	}
	return out
}

func (l *layer) str(key, def string) string {
	switch v := l.config[key].(type) {
	case nil:
		return def
	case string:
		return v
	}
	l.bad(key, "a string")
	return ""
}

func (l *layer) bool(key string, def bool) bool {
	switch v := l.config[key].(type) {
	case nil:
		return def
	case bool:
		return v
	}
	l.bad(key, "true or false")
	return false
}

func (l *layer) same() bool {
	switch p := strings.ToLower(l.str("padding", "valid")); p {
	case "same":
		return true
	case "valid":
	default:
		l.fail("padding ", strconv.Quote(p), " is not one of valid, same")
	}
	return false
}

// initializer returns a setting that is the name of an initialiser or {name, seed, ...}.
func (l *layer) initializer(key string, def nn.Initializer) nn.Initializer {
	switch v := l.config[key].(type) {
	case nil:
		return def
	case string:
		return l.namedInitializer(key, v, nil)
	case map[string]any:
		name, _ := v["name"].(string)
		if name == "" {
			name, _ = v["className"].(string)
		}
		c := v
		if inner, ok := v["config"].(map[string]any); ok {
			c = inner
		}
		init := l.namedInitializer(key, name, c)
		if seed, ok := c["seed"].(float64); ok {
			return func(dst []float32, shape []int, in, out int, _ *random.Source) {
				rng := random.New(uint64(int64(seed)), 0)
				init(dst, shape, in, out, &rng)
			}
		}
		return init
	}
	l.bad(key, "the name of an initializer")
	return nil
}

func (l *layer) namedInitializer(key, name string, c map[string]any) nn.Initializer {
	num := func(def float64, keys ...string) float64 {
		for _, k := range keys {
			if v, ok := c[k].(float64); ok {
				return v
			}
		}
		return def
	}
	if name != "" {
		name = strings.ToLower(name[:1]) + name[1:]
	}
	switch name {
	case "constant":
		return nn.Constant(float32(num(0, "value")))
	case "randomUniform":
		return nn.Uniform(num(-0.05, "minval", "min"), num(0.05, "maxval", "max"))
	case "randomNormal":
		return nn.Normal(num(0, "mean"), num(0.05, "stddev", "std"))
	case "truncatedNormal":
		return nn.TruncatedNormal(num(0, "mean"), num(0.05, "stddev", "std"))
	case "orthogonal":
		return nn.Orthogonal(num(1, "gain"))
	case "zeros":
		return nn.Zeros
	case "ones":
		return nn.Ones
	case "glorotUniform":
		return nn.GlorotUniform
	case "glorotNormal":
		return nn.GlorotNormal
	case "heUniform":
		return nn.HeUniform
	case "heNormal":
		return nn.HeNormal
	case "leCunUniform", "lecunUniform":
		return nn.LeCunUniform
	case "leCunNormal", "lecunNormal":
		return nn.LeCunNormal
	}
	l.fail(key, " ", strconv.Quote(name), " is no initializer of this build")
	return nil
}

// activate applies the activation that a setting names. axis is that of the channels.
func (l *layer) activate(key string, x *graph.Value, axis int) *graph.Value {
	switch v := l.config[key].(type) {
	case nil:
		return x
	case string:
		return l.activation(v, x, axis)
	}
	l.bad(key, "the name of an activation")
	return nil
}

func (l *layer) activation(name string, x *graph.Value, axis int) *graph.Value {
	switch name {
	case "", "linear":
		return x
	case "relu", "reLU":
		return op.Relu(x)
	case "relu6":
		return op.Clip(x, op.ConstLike(x, 0), op.ConstLike(x, 6))
	case "sigmoid":
		return op.Sigmoid(x)
	case "tanh":
		return op.Tanh(x)
	case "softmax":
		return op.Softmax(x, axis)
	case "logSoftmax":
		return op.LogSoftmax(x, axis)
	case "elu":
		return op.Elu(x, 1)
	case "selu":
		return op.Selu(x)
	case "softplus":
		return op.Softplus(x)
	case "softsign":
		return op.Softsign(x)
	case "gelu":
		return op.Gelu(x, false)
	case "swish", "silu":
		return op.Mul(x, op.Sigmoid(x))
	case "mish":
		return op.Mish(x)
	case "hardSigmoid":
		return op.HardSigmoid(x, 0.2, 0.5)
	case "hardSwish":
		return op.HardSwish(x)
	case "leakyRelu":
		return op.LeakyRelu(x, 0.2)
	case "exponential":
		return op.Exp(x)
	}
	l.fail("the activation ", strconv.Quote(name), " is not known")
	return nil
}
