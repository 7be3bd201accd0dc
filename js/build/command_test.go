package build_test

import (
	"flag"
	"strings"
	"testing"

	"github.com/weft-ml/weft/js/build"
)

func TestParseFlags(t *testing.T) {
	for _, c := range []struct {
		args, says string
		ok         bool
	}{
		{"", "", true},
		{"-o x", "", true},
		{"-o", "flag needs an argument: -o", false},
		{"-p", "flag provided but not defined: -p", false},
		{"-o x y", `mk takes flags alone, not "y"`, false},
		{"-h", "write into `folder`", false},
	} {
		flags := flag.NewFlagSet("mk", flag.PanicOnError)
		out := flags.String("o", "", "write into `folder`")
		var stderr strings.Builder
		ok := build.Parse(flags, strings.Fields(c.args), &stderr)
		if ok != c.ok || ok && stderr.Len() > 0 || !ok && !strings.Contains(stderr.String(), strings.ReplaceAll(c.says, "`", "")) {
			t.Errorf("%q: %v, %s", c.args, ok, stderr.String())
		}
		if c.args == "-o x" && *out != "x" {
			t.Errorf("-o is %q", *out)
		}
	}
}
