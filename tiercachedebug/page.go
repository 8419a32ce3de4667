package tiercachedebug

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"time"

	"github.com/tiercache/tiercache"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"rate": rate,
	"time": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000 MST") },
}).Parse(pageText))

func writePage(w io.Writer, s state) error { return page.Execute(w, s) }

// Coherence is the state of the coherence in words.
func (c cache) Coherence() string { return coherence(c.status.Coherence) }

// Inconsistent is the number of inconsistencies that were not resolved.
func (c cache) Inconsistent() int64 { return c.stats.Inconsistencies }

// Lost reports whether hits in L1 are not trusted.
func (c cache) Lost() bool { return c.status.Coherence.On && !c.status.Coherence.Trusted }

// Open is the number of keys that wait for repair.
func (c cache) Open() int { return c.status.Repair.Open }

// Repairs reports whether the cache repairs keys.
func (c cache) Repairs() bool { return c.status.Repair.On }

// L1 returns the lookups of L1.
func (c cache) L1() tiercache.Lookups { return c.stats.L1 }

// L2 returns the lookups of L2.
func (c cache) L2() tiercache.Lookups { return c.stats.L2 }

// Counted reports whether there are counts.
func (c cache) Counted() bool { return c.stats.Counted }

// Rows are all fields.
func (c cache) Rows() []row { return append(c.Status.rows(""), c.Stats.rows("")...) }

func coherence(s tiercache.CoherenceStatus) string {
	switch {
	case !s.On:
		return "off"
	case s.Trusted:
		return "trusted"
	default:
		return "not trusted: " + s.Cause
	}
}

// rate is the share of hits.
func rate(l tiercache.Lookups) string {
	all := l.Hits + l.Misses + l.Errors
	if all == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(l.Hits)/float64(all))
}
