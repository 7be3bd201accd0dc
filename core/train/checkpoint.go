package train

import (
	"hash/crc32"
	"strconv"

	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/safetensors"
	"github.com/weft-ml/weft/core/tensor"
)

// checkpointFormat names the layout of checkpoints; a reader refuses others.
const checkpointFormat = "weft-checkpoint-1"

// Checkpoint is everything a run depends on at one moment, as a safetensors file: all variables (weights, optimizer
// state, running statistics, moving averages), the step, which fixes schedule and random state, the position in the data, the
// history, and the settings of the run, which resuming compares.
type Checkpoint struct {
	Settings map[string]string
	Data     data.State
	Finished bool // the run had made all its steps

	step    int
	start   int // the step at which the run began
	history []float64
	vars    []safetensors.Entry
	fit     []float64 // state of a Fit; nil: none
	names   string    // of the logs in it
}

// Step returns the number of steps done.
func (c *Checkpoint) Step() int { return c.step }

// Checkpoint returns the state of the run as the bytes of a file.
func (t *Trainer) Checkpoint(settings map[string]string, pos data.State) ([]byte, error) {
	return t.checkpoint(settings, pos, nil)
}

func (t *Trainer) checkpoint(settings map[string]string, pos data.State, fit *Fit) ([]byte, error) {
	p, err := pos.MarshalBinary()
	if err != nil {
		return nil, err
	}
	f := &safetensors.File{Meta: map[string]string{
		"format":   checkpointFormat,
		"step":     strconv.Itoa(t.step),
		"steps":    strconv.Itoa(t.start + t.cfg.Steps),
		"settings": encodeSettings(settings),
	}}
	if t.start != 0 {
		f.Meta["start"] = strconv.Itoa(t.start)
	}
	sum := crc32.NewIEEE()
	add := func(name string, v *tensor.Tensor) {
		f.Tensors = append(f.Tensors, safetensors.Entry{Name: name, Tensor: v})
		sum.Write([]byte(name))
		sum.Write(v.Contiguous().Bytes())
	}
	for _, c := range t.store.Cells() {
		add("var/"+c.Name, c.Tensor)
	}
	h := t.History.encode()
	add("history", tensor.From(h, len(h)))
	add("data", tensor.From(p, len(p)))
	if fit != nil {
		v, names := fit.encode()
		add("fit", tensor.From(v, len(v)))
		f.Meta["logs"] = names
	}
	f.Meta["crc32"] = strconv.FormatUint(uint64(sum.Sum32()), 16)
	return safetensors.Encode(f)
}

// DecodeCheckpoint reads a checkpoint. Its sum covers every tensor: a damaged file is an error.
func DecodeCheckpoint(b []byte) (*Checkpoint, error) {
	f, err := safetensors.Decode(b)
	if err != nil {
		return nil, err
	}
	if f.Meta["format"] != checkpointFormat {
		return nil, tensor.Err("checkpoint", "not a checkpoint of this version: format ", strconv.Quote(f.Meta["format"]), ", want ", strconv.Quote(checkpointFormat)).With(tensor.CodeVersion)
	}
	c := &Checkpoint{}
	sum := crc32.NewIEEE()
	var pos []byte
	for _, e := range f.Tensors {
		sum.Write([]byte(e.Name))
		sum.Write(e.Tensor.Bytes())
		switch {
		case e.Name == "history" && e.Tensor.DType() == tensor.Float64:
			c.history = tensor.Data[float64](e.Tensor)
		case e.Name == "fit" && e.Tensor.DType() == tensor.Float64:
			c.fit, c.names = tensor.Data[float64](e.Tensor), f.Meta["logs"]
		case e.Name == "data" && e.Tensor.DType() == tensor.Uint8:
			pos = tensor.Data[uint8](e.Tensor)
		case len(e.Name) > 4 && e.Name[:4] == "var/":
			c.vars = append(c.vars, safetensors.Entry{Name: e.Name[4:], Tensor: e.Tensor})
		default:
			return nil, tensor.Err("checkpoint", "unknown entry ", strconv.Quote(e.Name)).With(tensor.CodeFormat)
		}
	}
	if want, err := strconv.ParseUint(f.Meta["crc32"], 16, 32); err != nil || uint32(want) != sum.Sum32() {
		return nil, tensor.Err("checkpoint", "the sum does not fit the contents: the file is damaged").With(tensor.CodeFormat)
	}
	step, err1 := strconv.Atoi(f.Meta["step"])
	steps, err2 := strconv.Atoi(f.Meta["steps"])
	if err1 != nil || err2 != nil || step < 0 || steps < step {
		return nil, tensor.Err("checkpoint", "impossible step ", strconv.Quote(f.Meta["step"]), " of ", strconv.Quote(f.Meta["steps"])).With(tensor.CodeFormat)
	}
	c.step, c.Finished = step, step == steps
	if s := f.Meta["start"]; s != "" {
		if c.start, err = strconv.Atoi(s); err != nil || c.start < 0 || c.start > step {
			return nil, tensor.Err("checkpoint", "impossible first step ", strconv.Quote(s)).With(tensor.CodeFormat)
		}
	}
	if err := c.Data.UnmarshalBinary(pos); err != nil {
		return nil, err
	}
	if c.Settings, err = decodeSettings(f.Meta["settings"]); err != nil {
		return nil, err
	}
	return c, nil
}

// Restore brings the trainer to the moment of the checkpoint. On an error the trainer is as it was.
func (t *Trainer) Restore(c *Checkpoint) error {
	if len(c.vars) != len(t.store.Cells()) {
		return tensor.Err("checkpoint", "has ", len(c.vars), " variables, this run has ", len(t.store.Cells()))
	}
	for _, e := range c.vars {
		v := t.store.Get(e.Name)
		if v == nil || v.DType() != e.Tensor.DType() || !tensor.SameShape(v.Shape(), e.Tensor.Shape()) {
			return tensor.Err("checkpoint", "variable ", strconv.Quote(e.Name), " of ", e.Tensor.DType(), " ", e.Tensor.Shape(), " does not fit this run")
		}
	}
	if c.step-c.start > t.cfg.Steps {
		return tensor.Err("checkpoint", "is at step ", c.step, " of a run of ", t.cfg.Steps)
	}
	var h History
	if !h.decode(c.history) {
		return tensor.Err("checkpoint", "the history is damaged")
	}
	for _, e := range c.vars {
		if err := t.store.Set(e.Name, e.Tensor); err != nil {
			return err
		}
	}
	t.History, t.step, t.start = h, c.step, c.start
	return nil
}
