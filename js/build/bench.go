package build

import (
	"context"
	"path/filepath"

	"github.com/evanw/esbuild/pkg/api"
)

// bench bundles js/bench into the package's folder: the adapter of the comparison with other runtimes, and its smallest page with the
// program file that it loads.
func bench(ctx context.Context, root, goroot, out string) error {
	dir := filepath.Join(root, "js", "bench")
	err := esbuild(root, goroot, api.BuildOptions{
		EntryPoints:       []string{filepath.Join(dir, "peers-adapter.ts"), filepath.Join(dir, "lenet-page.ts")},
		Outdir:            out,
		OutExtension:      map[string]string{".js": ".mjs"},
		Format:            api.FormatESModule,
		Platform:          api.PlatformBrowser,
		Engines:           browsers,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
	})
	if err != nil {
		return err
	}
	return Export(ctx, root, out, filepath.Join(dir, "lenet.mjs"), filepath.Join(out, "lenet-page.weft"))
}
