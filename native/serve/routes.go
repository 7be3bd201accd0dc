package serve

import (
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/weft-ml/weft/native/serve/oip"
)

// modelVersion is the only version of every model.
const modelVersion = "1"

// route is a path with what each method does.
type route struct {
	path  string
	get   func(w http.ResponseWriter, r *http.Request) error
	post  func(w http.ResponseWriter, r *http.Request) error
	allow string
}

// routes fills the multiplexer.
func (s *Server) routes() {
	s.mux = http.NewServeMux()
	list := []route{
		{path: "/v1/digits", post: s.digit},
		{path: "/v2", get: s.about},
		{path: "/v2/health/live", get: s.live},
		{path: "/v2/health/ready", get: s.ready},
		{path: "/v2/models", get: s.list},
	}
	for _, p := range []string{"/v2/models/{model}", "/v2/models/{model}/versions/{version}"} {
		list = append(list,
			route{path: p, get: s.metadata},
			route{path: p + "/ready", get: s.modelReady},
			route{path: p + "/infer", post: s.infer})
	}
	for name := range pageFiles {
		list = append(list, route{path: name, get: s.page})
	}
	for _, t := range list {
		t.allow = "GET, HEAD"
		if t.get == nil {
			t.allow = "POST"
		}
		if len(s.opt.Origins) > 0 {
			t.allow += ", OPTIONS"
		}
		pattern := t.path
		if pattern == "/" {
			pattern = "/{$}"
		}
		s.mux.HandleFunc(pattern, s.answer(func(w http.ResponseWriter, r *http.Request) error { return s.method(t, w, r) }))
	}
	s.mux.HandleFunc("/", s.answer(func(w http.ResponseWriter, r *http.Request) error {
		return failf(http.StatusNotFound, "there is nothing at %s; see /v2/models and /v1/digits", r.URL.Path)
	}))
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.cors(w, r)
	// A slash at the end, two in a row and dots lead to no other place; the multiplexer would answer with a redirect, which many clients of POST do not follow.
	p := strings.TrimSuffix(r.URL.Path, "/")
	if r.URL.RawPath == "" { // without escaped slashes, which are no slashes
		p = path.Clean("/" + p)
	}
	if p != r.URL.Path && p != "" {
		u := *r.URL
		u.Path, u.RawPath = p, ""
		c := *r
		c.URL = &u
		r = &c
	}
	s.mux.ServeHTTP(w, r)
}

// method calls the part of a route that a request asks for.
func (s *Server) method(t route, w http.ResponseWriter, r *http.Request) error {
	switch {
	case t.get != nil && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		return t.get(w, r)
	case t.post != nil && r.Method == http.MethodPost:
		return t.post(w, r)
	case r.Method == http.MethodOptions && len(s.opt.Origins) > 0:
		w.Header().Set("Allow", t.allow)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	f := failf(http.StatusMethodNotAllowed, "%s is not for %s; allowed: %s", r.URL.Path, r.Method, t.allow)
	f.allow = t.allow
	return f
}

// cors allows pages of the origins in the options to ask, and to read the answers.
func (s *Server) cors(w http.ResponseWriter, r *http.Request) {
	if len(s.opt.Origins) == 0 {
		return
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	switch {
	case slices.Contains(s.opt.Origins, "*"):
		h.Set("Access-Control-Allow-Origin", "*")
	case origin != "" && slices.Contains(s.opt.Origins, origin):
		h.Set("Access-Control-Allow-Origin", origin)
	default:
		return
	}
	h.Set("Access-Control-Expose-Headers", "Inference-Header-Content-Length, Retry-After")
	if r.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST")
		h.Set("Access-Control-Allow-Headers", "Content-Type, Inference-Header-Content-Length")
		h.Set("Access-Control-Max-Age", "86400")
	}
}

func (s *Server) about(w http.ResponseWriter, _ *http.Request) error {
	send(w, http.StatusOK, "application/json", oip.AppendServer(nil, "weft", s.opt.Version, oip.BinaryExtension))
	return nil
}

func (s *Server) live(w http.ResponseWriter, _ *http.Request) error {
	send(w, http.StatusOK, "application/json", oip.AppendLive(nil, true))
	return nil
}

func (s *Server) ready(w http.ResponseWriter, _ *http.Request) error {
	ready := s.isReady() && len(s.Models()) > 0
	send(w, readyStatus(ready), "application/json", oip.AppendHealth(nil, true, ready))
	return nil
}

func readyStatus(ready bool) int {
	if ready {
		return http.StatusOK
	}
	return http.StatusServiceUnavailable
}

// list answers at /v2/models, which is not of the protocol: there models are known beforehand.
func (s *Server) list(w http.ResponseWriter, _ *http.Request) error {
	b := []byte(`{"models":[`)
	for i, m := range s.Models() {
		if i > 0 {
			b = append(b, ',')
		}
		b = oip.AppendString(append(b, `{"name":`...), m.name)
		b = append(strconv.AppendBool(append(b, `,"digits":`...), m.digits), '}')
	}
	send(w, http.StatusOK, "application/json", append(b, "]}"...))
	return nil
}

// named returns the model that a path names.
func (s *Server) named(r *http.Request) (*Model, error) {
	name := r.PathValue("model")
	m := s.model(name, nil)
	if name == "" || m == nil {
		return nil, failf(http.StatusNotFound, "there is no model %q; %s", name, s.names())
	}
	if v := r.PathValue("version"); v != "" && v != modelVersion {
		return nil, failf(http.StatusNotFound, "the model %q has no version %q, only %s", name, v, modelVersion)
	}
	return m, nil
}

func (s *Server) metadata(w http.ResponseWriter, r *http.Request) error {
	m, err := s.named(r)
	if err != nil {
		return err
	}
	b, err := oip.AppendMetadata(nil, &oip.Metadata{Name: m.name, Versions: []string{modelVersion}, Platform: "onnx_onnxv1", Inputs: m.spec.Inputs, Outputs: m.spec.Outputs})
	if err != nil {
		return err
	}
	send(w, http.StatusOK, "application/json", b)
	return nil
}

func (s *Server) modelReady(w http.ResponseWriter, r *http.Request) error {
	m, err := s.named(r)
	if err != nil {
		return err
	}
	ready := s.isReady()
	send(w, readyStatus(ready), "application/json", oip.AppendReady(nil, m.name, ready))
	return nil
}
