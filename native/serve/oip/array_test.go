package oip

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/tensor"
)

func TestDecodeArray(t *testing.T) {
	for _, body := range []string{"[1,2.5,3e0,-4]", " [ [1, 2.5],\n[3, -4] ] ", `{"v": [1,2.5,3,-4]}`, `{"a": {"v": [7]}, "v": [[1,2.5],[3,-4]], "": null}`} {
		x := tensor.New(tensor.Float64, 2, 2)
		if err := DecodeArray([]byte(body), "v", x); err != nil {
			t.Errorf("%s: %v", body, err)
		} else if v := tensor.Data[float64](x); v[0] != 1 || v[1] != 2.5 || v[2] != 3 || v[3] != -4 {
			t.Errorf("%s: %v", body, v)
		}
	}
	for _, c := range []struct{ body, part string }{
		{"", `the JSON ends at byte 0 where an array or an object must be; is it complete?`},
		{"[1,2", `the JSON ends at byte 4 where "," or "]" must be`},
		{"[1,2,3,4]]", `"]" at byte 9 where the end of the body must be`},
		{"[1,2,3,4]\x00", `at byte 9 where the end of the body must be`},
		{"[1,2,3]", `"v" has 3 elements, shape [2 2] needs 4`},
		{"[1,2,3,4,5]", `"v" has more than the 4 elements of shape [2 2]`},
		{"[1,2,null,4]", `"v" element 2 (byte 5) is "null"; FP64 takes numbers`},
		{"[1,2,Infinity,4]", `"v" element 2 (byte 5) is "Infinity"; JSON has no NaN and no Infinity`},
		{"[[1,2],[3]]", `"v" has a row of 1 elements before element 3`},
		{"[[[1],[2]],[[3],[4]]]", `"v" is nested 3 deep`},
		{"7", `"7" at byte 0 where an array or an object must be`},
		{`{"w": [1]}`, `the object has no "v"`},
		{`{"v": {}}`, `"v" must be an array`},
		{`{"v": [1,2,3,4], "v": [1,2,3,4]}`, `key "v" comes twice`},
		{`{"v": [1,2,3,4], "w": tru}`, `where a value must be`},
		{`{"v": [1,2,3,4]`, `the JSON ends at byte 15`},
	} {
		err := DecodeArray([]byte(c.body), "v", tensor.New(tensor.Float64, 2, 2))
		if err == nil || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%s: %v, want %q", c.body, err, c.part)
		}
		if err != nil && strings.Contains(err.Error(), "binary") {
			t.Errorf("%s: %v", c.body, err)
		}
	}
}

// FuzzDecodeArray: what is read is JSON, with the numbers that encoding/json reads.
func FuzzDecodeArray(f *testing.F) {
	for _, s := range []string{"[1,2.5,3e0,-4]", "[[1, 2.5],\n[3, -4]]", `{"a": {"v": [7]}, "v": [[1,2.5],[3,-4]], "": null}`, `{"v": [1,2,3,4], "v": 1}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		x := tensor.New(tensor.Float64, 2, 2)
		if err := DecodeArray(body, "v", x); err != nil {
			if len(err.Error()) > 1000 {
				t.Errorf("a message of %d bytes", len(err.Error()))
			}
			return
		}
		var doc any
		if err := json.Unmarshal(body, &doc); err != nil {
			t.Fatal(err)
		}
		if o, ok := doc.(map[string]any); ok {
			doc = o["v"]
		}
		var flat []float64
		var walk func(v any)
		walk = func(v any) {
			if f, ok := v.(float64); ok {
				flat = append(flat, f)
				return
			}
			for _, e := range v.([]any) {
				walk(e)
			}
		}
		walk(doc)
		if got := tensor.Data[float64](x); !slices.Equal(got, flat) {
			t.Errorf("%q: %v, want %v", body, got, flat)
		}
	})
}
