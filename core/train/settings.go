package train

import (
	"slices"
	"strconv"
	"strings"

	"github.com/weft-ml/weft/core/tensor"
)

// encodeSettings writes settings as sorted lines of key=value; values are quoted.
func encodeSettings(m map[string]string) string {
	lines := make([]string, 0, len(m))
	for k, v := range m {
		lines = append(lines, k+"="+strconv.Quote(v))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func decodeSettings(s string) (map[string]string, error) {
	m := map[string]string{}
	for line := range strings.SplitSeq(s, "\n") {
		if line == "" {
			continue
		}
		k, q, ok := strings.Cut(line, "=")
		v, err := strconv.Unquote(q)
		if !ok || err != nil {
			return nil, tensor.Err("checkpoint", "the settings are damaged")
		}
		m[k] = v
	}
	return m, nil
}

// Differences lists the settings in which two runs differ, as "batch-size: 32 there, 64 here", sorted.
func Differences(there, here map[string]string) []string {
	var out []string
	show := func(m map[string]string, k string) string {
		if v, ok := m[k]; ok && v != "" {
			return v
		}
		return "none"
	}
	for k := range there {
		if show(there, k) != show(here, k) {
			out = append(out, k+": "+show(there, k)+" there, "+show(here, k)+" here")
		}
	}
	for k := range here {
		if _, ok := there[k]; !ok && here[k] != "" {
			out = append(out, k+": none there, "+here[k]+" here")
		}
	}
	slices.Sort(out)
	return out
}
