package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// stepRecord is one line of the file that --log names.
type stepRecord struct {
	Step    int     `json:"step"`
	Epoch   int     `json:"epoch"` // from 1
	Loss    float32 `json:"loss"`  // mean of the batch before its update, in as many digits as tell float32s apart
	Correct int     `json:"correct"`
	Samples int     `json:"samples"`
	LR      float64 `json:"lr"`
}

// stepLog writes a line of JSON for every step. What is lost when the process dies is no more than the checkpoint lost too: lines
// reach the file before the checkpoint of their step does, and a resumed run drops those after it.
type stepLog struct {
	f *os.File
	w *bufio.Writer
}

// openStepLog opens the log of a run that begins after the given step; lines of later steps are removed.
func openStepLog(path string, start int) (*stepLog, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot write the log: %w", err)
	}
	keep, err := logLength(f, start)
	if err == nil {
		err = f.Truncate(keep)
	}
	if err == nil {
		_, err = f.Seek(keep, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot write the log %s: %w", path, err)
	}
	return &stepLog{f: f, w: bufio.NewWriter(f)}, nil
}

// logLength returns how many bytes the lines of the steps up to start take.
func logLength(r io.Reader, start int) (int64, error) {
	var keep int64
	lines := bufio.NewReader(r)
	for start > 0 {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break // a line without an end was cut off while it was written
		}
		if err != nil {
			return 0, err
		}
		var rec stepRecord
		if json.Unmarshal(line, &rec) != nil {
			return 0, fmt.Errorf("byte %d on is no line of a log of weft train; name another file with --log", keep)
		}
		if rec.Step > start {
			break
		}
		keep += int64(len(line))
	}
	return keep, nil
}

func (l *stepLog) add(rec stepRecord) error {
	if l == nil {
		return nil
	}
	b, err := json.Marshal(rec)
	if err == nil {
		_, err = l.w.Write(append(b, '\n'))
	}
	return err
}

func (l *stepLog) flush() error {
	if l == nil {
		return nil
	}
	return l.w.Flush()
}

func (l *stepLog) close() error {
	if l == nil {
		return nil
	}
	return errors.Join(l.w.Flush(), l.f.Close())
}
