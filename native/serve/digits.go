package serve

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/native/internal/picture"
	"github.com/weft-ml/weft/native/serve/oip"
)

// maxNumbers bounds the bytes of that: 784 numbers with all the digits that a float64 has take a third of it.
const maxNumbers = 64 << 10

// Digit is the answer of /v1/digits.
type Digit struct {
	Digit         int       `json:"digit"`
	Probabilities []float64 `json:"probabilities"`
}

// digit answers POST /v1/digits: a picture, PNG or JPEG, prepared as "weft predict" does, or 784 numbers in 0..1, ink 1, row by row, which the
// model takes as they are.
func (s *Server) digit(w http.ResponseWriter, r *http.Request) error {
	name := r.URL.Query().Get("model")
	m := s.model(name, (*Model).Digits)
	switch {
	case m == nil && name != "":
		return failf(http.StatusNotFound, "there is no model %q; %s", name, s.names())
	case m == nil:
		return failf(http.StatusNotFound, "no model here reads digits (float32 [N 1 28 28] to logits [N 10]); ask those that are here at /v2/models/NAME/infer; %s", s.names())
	case !m.digits:
		return failf(http.StatusNotFound, "the model %q does not read digits (float32 [N 1 28 28] to logits [N 10]); ask it at /v2/models/%s/infer", name, name)
	}
	if err := s.run.full(); err != nil {
		return err
	}
	body, release, err := s.body(r, s.opt.MaxBody)
	if err != nil {
		return err
	}
	defer release()
	x := tensor.New(tensor.Float32, 1, 1, 28, 28)
	if err := s.digitInput(r.Context(), x.Float32s(), body, r.Header.Get("Content-Type"), m.class); err != nil {
		return err
	}
	out, err := s.run.do(r.Context(), m, []*tensor.Tensor{x}, s.opt.Timeout)
	if err != nil {
		return err
	}
	d := Digit{}
	if d.Digit, d.Probabilities, err = m.class.Best(out[0].Float32s()); err != nil {
		return failf(http.StatusInternalServerError, "%s", err)
	}
	b := strconv.AppendInt([]byte(`{"digit":`), int64(d.Digit), 10)
	b = oip.AppendFloats(append(b, `,"probabilities":`...), d.Probabilities)
	send(w, http.StatusOK, "application/json", append(b, '}'))
	return nil
}

// digitInput writes what a body stands for to x.
func (s *Server) digitInput(ctx context.Context, x []float32, body []byte, contentType string, class picture.Classifier) error {
	media := mediaType(contentType)
	if len(body) == 0 {
		return failf(http.StatusBadRequest, "the body is empty; a digit is sent as image/png, image/jpeg or application/json")
	}
	switch media {
	case "image/png", "image/jpeg", "application/json":
	case "", "application/octet-stream", formType: // as tools send a file whose type they do not know
		switch trimmed := bytes.TrimLeft(body, " \t\r\n"); {
		case isPNG(body):
			media = "image/png"
		case isJPEG(body):
			media = "image/jpeg"
		case len(trimmed) > 0 && (trimmed[0] == '[' || trimmed[0] == '{'):
			media = "application/json"
		}
	}
	switch {
	case media == "application/json":
		return digitNumbers(x, body)
	case strings.HasPrefix(media, "image/") && (isPNG(body) || isJPEG(body)):
		return s.digitPicture(ctx, x, body, class)
	case media == "image/png", media == "image/jpeg":
		return failf(http.StatusBadRequest, "the body is no PNG or JPEG, though it is sent as %s", media)
	}
	switch media {
	case "", "application/octet-stream", formType:
		return failf(http.StatusUnsupportedMediaType, "the body is no PNG, no JPEG and no array or object of JSON; a digit is sent as image/png, image/jpeg or application/json")
	case "multipart/form-data":
		return failf(http.StatusUnsupportedMediaType, "the picture comes in a form; it must be the body itself (curl --data-binary @FILE), sent as image/png or image/jpeg")
	}
	return failf(http.StatusUnsupportedMediaType, "a digit is sent as image/png, image/jpeg or application/json, not %q", contentType)
}

func (s *Server) digitPicture(ctx context.Context, x []float32, body []byte, class picture.Classifier) error {
	// A picture takes much more memory than its file, so only as many as there are processors are looked at together.
	select {
	case s.pictures <- struct{}{}:
		defer func() { <-s.pictures }()
	case <-ctx.Done():
		return errGone
	}
	if err := class.Prepare(x, body, s.opt.MaxPixels, false); err != nil {
		return failf(http.StatusUnprocessableEntity, "%s", strings.ReplaceAll(err.Error(), "weft: preprocess: ", ""))
	}
	return nil
}

// digitNumbers reads 784 numbers, or 28 rows of 28, by themselves or as "pixels" of an object.
func digitNumbers(x []float32, body []byte) error {
	bad := func(text string) error {
		return failf(http.StatusBadRequest, "%s; send [784 numbers] or {\"pixels\": [784 numbers]}, in 0..1, ink 1, row by row", text)
	}
	if len(body) > maxNumbers {
		return failf(http.StatusRequestEntityTooLarge, "784 numbers in %d bytes: at most %d are allowed", len(body), maxNumbers)
	}
	t := tensor.New(tensor.Float64, 28, 28)
	if err := oip.DecodeArray(body, "pixels", t); err != nil {
		return bad(err.Error())
	}
	ink := false
	for i, v := range tensor.Data[float64](t) {
		if v < 0 || v > 1 {
			return bad(fmt.Sprintf("pixel %d is %g; divide by 255 if they are bytes", i, v))
		}
		x[i] = float32(v)
		ink = ink || v > 0
	}
	if !ink {
		return failf(http.StatusUnprocessableEntity, "there is no ink: all pixels are 0")
	}
	return nil
}
