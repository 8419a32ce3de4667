package main

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
)

// The limits of a request.
const (
	maxBody = 64 << 10 // bytes
	maxID   = 64
	maxName = 1000
)

// api is the handlers.
type api struct {
	users *users
	log   *slog.Logger
}

// newHandler returns all routes for users. Requests for users are traced and
// measured; probes, which come every few seconds, are not.
//
// Anybody can make up a traceparent, and choose by it which trace a request belongs to
// and whether it is sampled. So a request only has a link to it, unless callers are
// trusted.
func newHandler(u *users, tel *telemetry, trustTrace bool) http.Handler {
	a := &api{users: u, log: tel.log}
	traced := otelhttp.NewMiddleware("users",
		otelhttp.WithTracerProvider(tel.tracers),
		otelhttp.WithMeterProvider(tel.meters),
		otelhttp.WithPublicEndpointFn(func(*http.Request) bool { return !trustTrace }),
		otelhttp.WithPropagators(propagation.TraceContext{}))
	mux := http.NewServeMux()
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /users/{id}":    a.get,
		"PUT /users/{id}":    a.put,
		"DELETE /users/{id}": a.remove,
		"/users/{id}":        a.methodNotAllowed,
	} {
		mux.Handle(pattern, traced(a.checkID(handle)))
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		a.fail(w, r, http.StatusNotFound, "there is nothing here: GET, PUT or DELETE /users/{id}")
	})
	return mux
}

func (a *api) checkID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.PathValue("id")) > maxID {
			a.fail(w, r, http.StatusBadRequest, "the id is too long")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *api) get(w http.ResponseWriter, r *http.Request) {
	u, err := a.users.get(r.Context(), r.PathValue("id"))
	if err != nil {
		a.failed(w, r, err)
		return
	}
	a.answerUser(w, r, u)
}

func (a *api) put(w http.ResponseWriter, r *http.Request) {
	u := user{ID: r.PathValue("id")}
	status, problem := readName(http.MaxBytesReader(w, r.Body, maxBody), &u.Name)
	if problem != "" {
		a.fail(w, r, status, problem)
		return
	}
	stored, err := a.users.put(r.Context(), u)
	if err := a.cached(w, r, err); err != nil {
		a.failed(w, r, err)
		return
	}
	a.answerUser(w, r, stored)
}

func (a *api) remove(w http.ResponseWriter, r *http.Request) {
	if err := a.cached(w, r, a.users.remove(r.Context(), r.PathValue("id"))); err != nil {
		a.failed(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// cached passes the errors of the database. One of the cache fails nothing,
// because the database has the truth; it is said in a header (RFC 9211) and in
// the log.
func (a *api) cached(w http.ResponseWriter, r *http.Request, err error) error {
	if !errors.Is(err, errNotCached) {
		return err
	}
	detail := "not updated"
	if errors.Is(err, tiercache.ErrInconsistent) {
		detail = "tiers may differ"
	}
	w.Header().Set("Cache-Status", `tiercache; detail="`+detail+`"`)
	a.log.WarnContext(r.Context(), "the database was written, but the cache was not", "error", err)
	return nil
}

// readName returns the fault of the body, and its status.
func readName(body io.Reader, name *string) (status int, problem string) {
	var in struct {
		Name string `json:"name"`
	}
	decoder := json.NewDecoder(body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&in)
	if err == nil {
		if _, next := decoder.Token(); !errors.Is(next, io.EOF) {
			err = errors.Join(errors.New("more than one value"), next)
		}
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, "the body is too large"
	case err != nil || in.Name == "":
		return http.StatusBadRequest, `the body must be {"name":"..."}`
	case len(in.Name) > maxName:
		return http.StatusBadRequest, "the name is too long"
	}
	*name = in.Name
	return 0, ""
}

func (a *api) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Allow", "GET, HEAD, PUT, DELETE")
	a.fail(w, r, http.StatusMethodNotAllowed, "use GET, PUT or DELETE")
}

// failed answers with an error of the database or of the cache.
func (a *api) failed(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, backends.ErrNotFound):
		a.fail(w, r, http.StatusNotFound, "there is no such user")
	case r.Context().Err() != nil:
		a.fail(w, r, http.StatusServiceUnavailable, "the request was cancelled") // nobody reads it
	default:
		a.log.ErrorContext(r.Context(), "a request has failed", "error", err)
		a.fail(w, r, http.StatusInternalServerError, "internal error")
	}
}

func (a *api) fail(w http.ResponseWriter, r *http.Request, status int, problem string) {
	a.answer(w, r, status, map[string]string{"error": problem})
}

// answerUser writes a user, and the version of this state as its entity tag.
func (a *api) answerUser(w http.ResponseWriter, r *http.Request, u user) {
	w.Header().Set("ETag", `"`+strconv.FormatUint(u.Version, 10)+`"`)
	a.answer(w, r, http.StatusOK, struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}{u.ID, u.Name})
}

// answer writes JSON. An error of writing means that the client has disconnected.
func (a *api) answer(w http.ResponseWriter, r *http.Request, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		a.log.DebugContext(r.Context(), "the answer was not read", "error", err)
	}
}
