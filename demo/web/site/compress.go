package site

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// brotliScript writes FILE.br, of the quality that comes first, beside each file that it is given, on all processors.
const brotliScript = `const fs = require("fs"), z = require("zlib"), c = z.constants;
const [quality, ...files] = process.argv.slice(1);
for (const f of files) {
  const b = fs.readFileSync(f);
  const params = { [c.BROTLI_PARAM_QUALITY]: Number(quality), [c.BROTLI_PARAM_LGWIN]: 24, [c.BROTLI_PARAM_SIZE_HINT]: b.length };
  z.brotliCompress(b, { params }, (err, packed) => {
    if (err) throw err;
    fs.writeFileSync(f + ".br", packed);
  });
}`

// compressible names the kinds of files that are served compressed.
var compressible = []string{".html", ".js", ".css", ".svg", ".json", ".webmanifest", ".wasm", ".onnx", ".weft"}

// compress writes FILE.gz, and FILE.br where there is Node, beside the files of the folder that gain by it.
func compress(ctx context.Context, out string, quick bool) error {
	var files []string
	err := filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains(compressible, filepath.Ext(path)) {
			return err
		}
		files = append(files, path)
		return nil
	})
	if err != nil {
		return err
	}
	level, quality := gzip.BestCompression, "11"
	if quick {
		level, quality = gzip.BestSpeed, "1"
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var z bytes.Buffer
		w, err := gzip.NewWriterLevel(&z, level)
		if err != nil {
			return err
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		if err := os.WriteFile(path+".gz", z.Bytes(), 0o644); err != nil {
			return err
		}
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return nil
	}
	cmd := exec.CommandContext(ctx, node, append([]string{"-e", brotliScript, quality}, files...)...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("weft: brotli in Node: %w\n%s", err, text)
	}
	return nil
}
