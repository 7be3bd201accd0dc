package api

import (
	"math"
	"unsafe"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/core/train"
)

// The short way for calls that are made again and again: the caller writes a few 32-bit words into a block that stays where it is, and reads
// the answer there. It does what the methods do for tensors, functions and models that a message has set up. What it is not made for it declines,
// before anything has happened, and the caller sends the message.

// QuickWords is the size of the block.
const QuickWords = 1024

// The last words of the block say how the caller makes the same call once more without Go: steps, how many, and the worker for the kernel module's program_run. It may do so
// until it calls Go again, other than to read, and then finds what it has computed where the call before has put it. The last word counts the runs that were made so.
const (
	quickSteps = QuickWords - 4 + iota
	quickCount // 0: the call cannot be repeated
	quickWorker
	quickRepeats
)

// Kinds of quick calls, with what the block holds.
const (
	quickFree    = iota // n, then n ids
	quickRun            // function, step, inputs, outputs, ids to free first; then the ids, of those to free, of inputs, of outputs
	quickPredict        // model, samples, largest batch (0: the usual one), bytes; the samples are in the request buffer. Gives arrays
	quickTrain          // model, x, y. Gives the loss, how many measurements there are and those, two words each but for the number
	quickRead           // tensor. Gives an array
)

// What Quick returns.
const (
	quickDeclined = iota
	quickDone
	quickFailed // Response is the error
)

// An array is given as its address, bytes, element type, rank and dimensions; several come after their number.

// Block returns the words of quick calls.
func (s *Server) Block() *[QuickWords]uint32 { return &s.block }

// Response returns the response to the last call, as Call does.
func (s *Server) Response() []byte { return s.w.b }

// Quick makes a quick call. data is the request buffer.
func (s *Server) Quick(kind int32, data []byte) (status int32) {
	defer func() {
		if r := recover(); r != nil {
			s.failed("call", r)
			status = quickFailed
		}
	}()
	s.countRepeats()
	b := s.block[:quickSteps]
	if kind != quickRead {
		s.block[quickCount] = 0
	}
	done := false
	switch kind {
	case quickFree:
		done = s.quickFree(b[1:], b[0])
	case quickRun:
		done = s.quickRun(b)
	case quickPredict:
		done = s.quickPredict(b, data)
	case quickTrain:
		done = s.quickTrain(b)
	case quickRead:
		done = s.quickRead(b)
	}
	if !done {
		return quickDeclined
	}
	return quickDone
}

// countRepeats counts runs that were made without Go: random numbers of later ones are at the place where they would be.
func (s *Server) countRepeats() {
	s.runs += uint64(s.block[quickRepeats])
	s.block[quickRepeats] = 0
}

// tellRepeat says how to make the last call again.
func (s *Server) tellRepeat() {
	r := &s.again
	if r.N == 0 {
		return
	}
	s.block[quickSteps] = uint32(uintptr(unsafe.Pointer(r.Steps)))
	s.block[quickCount] = uint32(r.N)
	s.block[quickWorker] = uint32(uintptr(unsafe.Pointer(&r.Worker)))
}

func (s *Server) quickFree(ids []uint32, n uint32) bool {
	if n > uint32(len(ids)) {
		return false
	}
	for _, id := range ids[:n] {
		s.release(uint64(id))
	}
	return true
}

func (s *Server) quickRun(b []uint32) bool {
	const head = 5
	id, step, nIn, nOut, nFree := b[0], b[1], int(b[2]), int(b[3]), int(b[4])
	if nIn > QuickWords || nOut > QuickWords || nFree > QuickWords || head+nIn+nOut+nFree > len(b) {
		return false
	}
	b = b[head:]
	s.quickFree(b, uint32(nFree))
	f, ok := s.handles.get(uint64(id)).(*function)
	if !ok || f.progs.last == nil || nIn != len(f.params) || nOut != f.outputs.len() {
		return false
	}
	p := f.progs.last
	in, out := s.quickIn[:0], s.quickOut[:0]
	for i, id := range b[nFree : nFree+nIn] {
		var t *tensor.Tensor
		switch h := s.handles.get(uint64(id)).(type) {
		case *tensorHandle:
			t = h.t
		case *variable:
			t = h.cell.Tensor
		default:
			return false
		}
		if t.DType() != p.types[i].DType || !tensor.SameShape(t.Shape(), p.types[i].Shape) {
			return false
		}
		in = append(in, t)
	}
	for _, h := range f.captured {
		in = append(in, h.t)
	}
	for _, id := range b[nFree+nIn : nFree+nIn+nOut] {
		if id == 0 || s.handles.get(uint64(id)) != nil {
			return false
		}
		out = append(out, uint64(id))
	}
	s.quickIn, s.quickOut = in, out
	sc := runScalars{step: int(step), ownRate: true}
	s.execute(p, in, nil, out, &sc, &s.again)
	clear(in)
	if len(p.mins) == 0 {
		s.tellRepeat()
	}
	return true
}

func (s *Server) quickPredict(b []uint32, data []byte) bool {
	m, ok := s.handles.get(uint64(b[0])).(*model)
	n, batch, bytes := int(b[1]), int(b[2]), int(b[3])
	if batch == 0 {
		batch = train.EvalBatch
	}
	if !ok || len(m.net.Inputs) != 1 || n < 1 || n > batch || bytes > len(data) {
		return false
	}
	if d := m.net.Inputs[0].DType; d != tensor.Float32 && d != tensor.Undefined {
		return false
	}
	data = data[:bytes]
	if m.batch == nil || m.batch.Shape()[0] != n {
		shape := append([]int{n}, m.net.Inputs[0].Shape...)
		size, ok := tensor.CheckedSize(shape)
		if !ok || 4*size != bytes {
			return false
		}
		m.batch = tensor.Wrap(tensor.Float32, shape, data)
	}
	if len(m.batch.Bytes()) != bytes {
		return false
	}
	m.batch.Rewrap(data)
	if train.CheckFinite("data", "element", m.batch) != nil {
		return false // the message says which
	}
	m.in[0] = m.batch
	out, err := m.prog.RunWith(m.in[:], compile.RunOptions{Repeat: &s.again})
	m.in[0] = nil
	if err != nil {
		panic(err)
	}
	b[0] = uint32(len(out))
	b = b[1:]
	for _, t := range out {
		if b = arrayWords(b, t); b == nil {
			return false // computing it again changes nothing
		}
	}
	s.tellRepeat()
	return true
}

func (s *Server) quickTrain(b []uint32) bool {
	m, ok := s.handles.get(uint64(b[0])).(*model)
	x, okX := s.handles.get(uint64(b[1])).(*tensorHandle)
	y, okY := s.handles.get(uint64(b[2])).(*tensorHandle)
	if !ok || !okX || !okY {
		return false
	}
	loss, err := s.trainOn(m, append(s.quickIn[:0], x.t), append(s.quickY[:0], y.t))
	if err != nil {
		panic(err)
	}
	put := func(k int, v float64) {
		w := math.Float64bits(v)
		b[k], b[k+1] = uint32(w), uint32(w>>32)
	}
	put(0, loss)
	b[2] = uint32(len(s.logList))
	for i, x := range s.logList {
		put(3+2*i, x.Value)
	}
	return true
}

func (s *Server) quickRead(b []uint32) bool {
	switch h := s.handles.get(uint64(b[0])).(type) {
	case *tensorHandle:
		return arrayWords(b, h.t) != nil
	case *variable:
		return arrayWords(b, h.cell.Tensor) != nil
	}
	return false
}

// arrayWords describes an array and returns the words behind; nil when that is not possible.
func arrayWords(b []uint32, t *tensor.Tensor) []uint32 {
	if t.DType() == tensor.String || !t.IsContiguous() || len(b) < 4+t.Rank() {
		return nil
	}
	e := t.Bytes()
	b[0] = 0
	if len(e) > 0 {
		b[0] = uint32(uintptr(unsafe.Pointer(&e[0])))
	}
	b[1], b[2], b[3] = uint32(len(e)), uint32(t.DType()), uint32(t.Rank())
	for i, d := range t.Shape() {
		b[4+i] = uint32(d)
	}
	return b[4+t.Rank():]
}
