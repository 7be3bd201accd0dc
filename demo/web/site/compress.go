package site

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// brotliScript writes FILE.br, of the quality that comes first, beside each file that it is given, on all processors. The window's
// program would take over a minute that way; at quality 9 it takes seconds and is an eighth larger.
const brotliScript = `const fs = require("fs"), z = require("zlib"), c = z.constants;
const [quality, ...files] = process.argv.slice(1);
for (const f of files) {
  const b = fs.readFileSync(f);
  const params = { [c.BROTLI_PARAM_QUALITY]: b.length > 16e6 ? Math.min(9, quality) : Number(quality), [c.BROTLI_PARAM_LGWIN]: 24, [c.BROTLI_PARAM_SIZE_HINT]: b.length };
  z.brotliCompress(b, { params }, (err, packed) => {
    if (err) throw err;
    fs.writeFileSync(f + ".br", packed);
  });
}`

// compressible names the kinds of files that are served compressed.
var compressible = []string{".html", ".js", ".css", ".svg", ".json", ".webmanifest", ".wasm", ".onnx", ".weft"}

// quickMark is a file of a site whose files are compressed less.
const quickMark = ".quick"

// packed remembers the compressed files of an earlier build in the folder, by name. Only names that hold their content's
// hash count.
func packed(out string) (map[string][]byte, error) {
	files := map[string][]byte{}
	if _, err := os.Stat(filepath.Join(out, quickMark)); err == nil {
		return files, nil
	}
	for _, pattern := range []string{"*.*.*.br", "*.*.*.gz"} {
		names, err := filepath.Glob(filepath.Join(out, pattern))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if files[filepath.Base(name)], err = os.ReadFile(name); err != nil {
				return nil, err
			}
		}
	}
	return files, nil
}

// compress writes FILE.gz, and FILE.br where there is Node, beside the files of the folder that gain by it. What an earlier build
// has packed as well is taken from there.
func compress(ctx context.Context, out string, quick bool, earlier map[string][]byte) error {
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
		if err := os.WriteFile(filepath.Join(out, quickMark), nil, 0o644); err != nil {
			return err
		}
	}
	for i, path := range files {
		gz, br := earlier[filepath.Base(path)+".gz"], earlier[filepath.Base(path)+".br"]
		if !quick && gz != nil && br != nil {
			if err := errors.Join(os.WriteFile(path+".gz", gz, 0o644), os.WriteFile(path+".br", br, 0o644)); err != nil {
				return err
			}
			files[i] = ""
			continue
		}
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
	files = slices.DeleteFunc(files, func(path string) bool { return path == "" })
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
