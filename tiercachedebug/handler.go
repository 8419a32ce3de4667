package tiercachedebug

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/tiercache/tiercache"
)

// Cache is a cache that the handler can show: every [tiercache.Cache] is one. Each request calls
// its methods, which must be safe for concurrent use.
type Cache interface {
	// Name returns the cache's name.
	Name() string

	// Status returns the present state.
	Status() tiercache.Status

	// Stats returns the counts since the cache was made.
	Stats() tiercache.Stats
}

// Handler shows caches. Use [New]. It is safe for concurrent use.
type Handler struct {
	keys bool
	keep int

	mu     sync.Mutex
	caches []Cache
	events []inconsistency // the latest last
}

var _ http.Handler = (*Handler)(nil)

// Option is an option of [New].
type Option interface{ apply(h *Handler) }

type optionFunc func(h *Handler)

func (f optionFunc) apply(h *Handler) { f(h) }

// WithKeys shows keys. Keys may be personal data or secrets, so whoever can read the
// page must be allowed to read them. Default: they are hidden.
func WithKeys() Option { return optionFunc(func(h *Handler) { h.keys = true }) }

// defaultKeep is how many inconsistencies are kept.
const defaultKeep = 50

// New returns a handler without caches. A nil option changes nothing.
func New(opts ...Option) *Handler {
	h := &Handler{keep: defaultKeep}
	for _, o := range opts {
		if o != nil {
			o.apply(h)
		}
	}
	return h
}

// Add adds caches to the page, after those that were added before. A cache that was added already
// is not shown twice. The handler keeps them until [Handler.Remove]. If one of them is nil, Add
// adds none and returns an error that wraps [tiercache.ErrInvalid].
func (h *Handler) Add(caches ...Cache) error {
	if slices.ContainsFunc(caches, isNil) {
		return fmt.Errorf("tiercachedebug: %w: a cache is nil: add it once tiercache.New has returned it", tiercache.ErrInvalid)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range caches {
		if !slices.ContainsFunc(h.caches, same(c)) {
			h.caches = append(h.caches, c)
		}
	}
	return nil
}

// Remove removes a cache from the page, for instance because it was closed.
func (h *Handler) Remove(c Cache) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.caches = slices.DeleteFunc(h.caches, same(c))
}

func isNil(c Cache) bool {
	v := reflect.ValueOf(c)
	return c == nil || v.Kind() == reflect.Pointer && v.IsNil()
}

func same(c Cache) func(Cache) bool {
	return func(other Cache) bool { return reflect.TypeOf(c).Comparable() && c == other }
}

// ServeHTTP answers GET and HEAD with the state of the caches.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "use GET", http.StatusMethodNotAllowed)
		return
	}
	render, kind := writePage, "text/html; charset=utf-8"
	switch format := r.URL.Query().Get("format"); {
	case format == "json", format == "" && acceptsJSONAlone(r.Header.Values("Accept")):
		render, kind = writeJSON, "application/json"
	case format != "" && format != "html":
		http.Error(w, "the format is html or json", http.StatusBadRequest)
		return
	}
	header := w.Header()
	header.Set("Content-Type", kind)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	header.Set("Referrer-Policy", "no-referrer")
	header.Add("Vary", "Accept")
	_ = render(w, h.state()) // the client has gone
}

// acceptsJSONAlone reports whether a client wants JSON and would not take a page.
func acceptsJSONAlone(accept []string) bool {
	all := strings.Join(accept, ",")
	return strings.Contains(all, "application/json") && !strings.Contains(all, "text/html")
}

// state returns what is shown now. It asks the caches without holding the lock.
func (h *Handler) state() state {
	h.mu.Lock()
	caches, events := slices.Clone(h.caches), slices.Clone(h.events)
	h.mu.Unlock()
	s := state{Caches: make([]cache, 0, len(caches)), Inconsistencies: make([]inconsistency, 0, len(events)), KeysHidden: !h.keys}
	for _, c := range caches {
		s.Caches = append(s.Caches, stateOf(c, h.keys))
	}
	for _, e := range slices.Backward(events) {
		s.Inconsistencies = append(s.Inconsistencies, e)
	}
	return s
}

var errPanicked = errors.New("the cache panicked while it was asked for its state")
