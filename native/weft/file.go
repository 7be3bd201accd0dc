package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// writeFile writes a file atomically: to a temporary file beside it, flushed to disk, then renamed. Whatever
// happens, path holds its old contents or its new ones.
func writeFile(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	tmp := f.Name()
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(tmp)
			err = fmt.Errorf("cannot write %s: %w", path, err)
		}
	}()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if st, err := os.Stat(path); err == nil {
		mode = st.Mode().Perm()
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	if d, err := os.Open(dir); err == nil { // make the rename itself durable where folders can be flushed
		d.Sync()
		d.Close()
	}
	return nil
}

// checkWritable fails early, before hours of work, when the folder of an output is not there or cannot be written to.
func checkWritable(path string) error {
	dir := filepath.Dir(path)
	if st, err := os.Stat(dir); err != nil {
		return fmt.Errorf("the folder of %s: %w; make it first", path, err)
	} else if !st.IsDir() {
		return fmt.Errorf("%s is not a folder", dir)
	}
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		return fmt.Errorf("%s is a folder; name a file", path)
	}
	f, err := os.CreateTemp(dir, ".weft.*.tmp")
	if err != nil {
		return fmt.Errorf("cannot write to the folder of %s: %w", path, err)
	}
	f.Close()
	return os.Remove(f.Name())
}
