package serve

import (
	"net/http"
	"strconv"

	"github.com/weft-ml/weft/native/serve/oip"
)

// infer answers a request by the protocol, as JSON or with binary tensors.
func (s *Server) infer(w http.ResponseWriter, r *http.Request) error {
	m, err := s.named(r)
	if err != nil {
		return err
	}
	switch media := mediaType(r.Header.Get("Content-Type")); media {
	case "", "application/json", "application/octet-stream", formType:
	default:
		return failf(http.StatusUnsupportedMediaType, "a request is sent as application/json, or as application/octet-stream with binary tensors, not %s", media)
	}
	jsonLen := -1
	if h := r.Header.Get(oip.HeaderLength); h != "" {
		if jsonLen, err = strconv.Atoi(h); err != nil || jsonLen < 0 {
			return failf(http.StatusBadRequest, "%s is %q, not the length of the JSON part in bytes", oip.HeaderLength, h)
		}
	}
	if err := s.run.full(); err != nil {
		return err
	}
	body, release, err := s.body(r, s.opt.MaxBody)
	if err != nil {
		return err
	}
	defer release()
	req, err := oip.DecodeRequest(body, jsonLen, m.spec)
	if err != nil {
		return err
	}
	out, err := s.run.do(r.Context(), m, req.Inputs, s.opt.Timeout)
	if err != nil {
		return err
	}
	res := oip.Response{ModelName: m.name, ModelVersion: modelVersion, ID: req.ID}
	if len(req.Outputs) == 0 {
		for i, o := range m.spec.Outputs {
			res.Outputs = append(res.Outputs, oip.OutputTensor{Name: o.Name, Tensor: out[i], Binary: req.BinaryDefault})
		}
	}
	for _, o := range req.Outputs {
		for i := range m.spec.Outputs {
			if m.spec.Outputs[i].Name == o.Name {
				res.Outputs = append(res.Outputs, oip.OutputTensor{Name: o.Name, Tensor: out[i], Binary: o.Binary})
			}
		}
	}
	b, jsonLen, err := oip.AppendResponse(nil, &res)
	if err != nil {
		return err
	}
	media := "application/json"
	if jsonLen >= 0 {
		media = "application/octet-stream"
		w.Header().Set(oip.HeaderLength, strconv.Itoa(jsonLen))
	}
	send(w, http.StatusOK, media, b)
	return nil
}
