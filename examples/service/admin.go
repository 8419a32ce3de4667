package main

import (
	"encoding/json"
	"net/http"
	"time"
)

// newAdminHandler is for operators: the metrics, the state of the cache, and with a link
// the faults. It has a port of its own, which users do not reach.
func newAdminHandler(u *users, tel *telemetry, l *link) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", tel.metrics)
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(u.status()); err != nil {
			tel.log.DebugContext(r.Context(), "the answer was not read", "error", err)
		}
	})
	if l == nil {
		return mux
	}
	for pattern, do := range map[string]func(){"POST /faults/cut": l.cut, "POST /faults/restore": l.restore} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			do()
			tel.log.WarnContext(r.Context(), "a fault was asked for", "request", r.Pattern)
			w.WriteHeader(http.StatusNoContent)
		})
	}
	return mux
}

// status is the answer of /status.
type status struct {
	Coherence string  `json:"coherence"`           // trusted, lost, or off
	Cause     string  `json:"cause,omitempty"`     // of the loss
	Since     string  `json:"since,omitempty"`     // of being so
	SyncedAge string  `json:"syncedAge,omitempty"` // time since all changes in Redis were known
	Losses    uint32  `json:"losses"`              // after which each entry of L1 is compared with L2
	Repair    repairs `json:"repair"`
}

// repairs are keys whose tiers may differ, or which are older than the database. The keys
// themselves are not in it.
type repairs struct {
	Open    int    `json:"open"`             // now
	Oldest  string `json:"oldest,omitempty"` // the time since which one of these is
	Closed  uint64 `json:"closed"`           // since the start
	Dropped uint64 `json:"dropped"`          // those of them that were too many
}

func (u *users) status() status {
	all := u.cache.Status()
	r, s := all.Repair, all.Coherence
	open := repairs{Open: r.Open, Closed: r.Closed, Dropped: r.Dropped}
	if !r.Oldest.IsZero() {
		open.Oldest = r.Oldest.UTC().Format(time.RFC3339)
	}
	if !s.On {
		return status{Coherence: "off", Repair: open}
	}
	is := status{
		Coherence: "lost", Cause: s.Cause, Since: s.Since.UTC().Format(time.RFC3339), Losses: s.Epoch - 1,
		Repair: open,
	}
	if s.Trusted {
		is.Coherence = "trusted"
	}
	if s.SyncedAge >= 0 {
		is.SyncedAge = s.SyncedAge.Round(time.Millisecond).String()
	}
	return is
}
