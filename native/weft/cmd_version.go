package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/weft-ml/weft/native/version"
	"github.com/weft-ml/weft/simd"
)

type versionInfo struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Kernels  string `json:"kernels"`
	Numerics string `json:"numerics"`
	CPUs     int    `json:"cpus"`
}

func currentVersion() versionInfo {
	v := versionInfo{Version: version.Tree, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Kernels: simd.Current().Name, Numerics: simd.Current().Class.String(), CPUs: runtime.NumCPU()}
	if bi, ok := debug.ReadBuildInfo(); ok && bi.Main.Version != "" && bi.Main.Version != "(devel)" {
		v.Version = bi.Main.Version
	}
	return v
}

func (c *cli) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version and the kernels in use",
		Example: "  weft version --json",
		Args:    exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, args []string) error {
			v := currentVersion()
			if c.json {
				c.printJSON(v)
				return nil
			}
			fmt.Fprintf(c.stdout, "weft %s (%s, %s)\nkernels %s, numeric class %s, %d CPUs\n", v.Version, v.Go, v.Platform, v.Kernels, v.Numerics, v.CPUs)
			return nil
		},
	}
}
