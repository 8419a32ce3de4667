package tiercachedebug

import (
	"encoding/json"
	"io"

	"github.com/tiercache/tiercache"
)

// state is what the handler shows.
type state struct {
	Caches          []cache         `json:"caches"`
	Inconsistencies []inconsistency `json:"inconsistencies"` // the latest first
	KeysHidden      bool            `json:"keys_hidden"`
}

// cache is the state of one cache.
type cache struct {
	Name   string `json:"name"`
	Status fields `json:"status,omitempty"`
	Stats  fields `json:"stats,omitempty"`
	Error  string `json:"error,omitempty"`

	status tiercache.Status
	stats  tiercache.Stats
}

// stateOf asks a cache. A panic is shown in its place, so that it does not hide the other
// caches.
func stateOf(c Cache, keys bool) (s cache) {
	defer func() {
		if recover() != nil {
			s.Error = errPanicked.Error()
		}
	}()
	s.Name = c.Name()
	s.status, s.stats = c.Status(), c.Stats()
	s.Status, s.Stats = fieldsOf(s.status, keys), fieldsOf(s.stats, keys)
	return s
}

func writeJSON(w io.Writer, s state) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(s)
}
