package op

import "github.com/weft-ml/weft/core/graph"

//go:generate go run ./internal/gensets

// Lookup returns the operator of that domain ("" is ONNX's own) and name in a set, nil when it is not there.
func Lookup(set []*graph.Def, domain, name string) *graph.Def {
	for _, d := range set {
		if d.Domain == domain && d.Name == name {
			return d
		}
	}
	return nil
}
