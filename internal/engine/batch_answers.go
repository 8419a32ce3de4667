package engine

import (
	"context"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/ledger"
	"github.com/tiercache/tiercache/tier"
)

// answers are those of L2 to a batch of reads: the results of its one call, from which an
// answer is made when it is wanted, or the answers themselves.
type answers[V any] struct {
	got  []backends.Got[V]
	each []found[V] // nil, or they count
}

// fetch asks L2 for the keys, in one call if it takes them together.
func (a *answers[V]) fetch(ctx context.Context, e *Engine[V], keys []string) {
	if !e.l2.Batches() {
		a.each = make([]found[V], len(keys))
		for i := range a.each {
			a.each[i].err = guard.ErrExited
		}
		eachKey(e.l2, len(keys), func(i int) { a.each[i] = e.askL2(ctx, keys[i]) })
		return
	}
	a.got = make([]backends.Got[V], len(keys))
	e.l2.GetMany(ctx, keys, a.got)
	redact := newRedaction(keys)
	for i := range a.got {
		if err := a.got[i].Err; err != nil {
			a.got[i].Err = redact.clean(e.l2.GetError(keys[i], err))
		}
	}
}

// at returns the answer for key i.
func (a *answers[V]) at(i int) found[V] {
	if a.each != nil {
		return a.each[i]
	}
	g := &a.got[i]
	if g.Err != nil {
		return found[V]{err: g.Err}
	}
	return found[V]{entry: g.Entry, hit: g.Answer.Found == backends.Hit, origin: &g.Answer}
}

// hit returns the entry of answer i, or nil if it is no plain hit.
func (a *answers[V]) hit(i int) *backends.Entry[V] {
	if a.each != nil || a.got[i].Err != nil || a.got[i].Answer.Found != backends.Hit {
		return nil
	}
	return &a.got[i].Entry
}

// lookup returns the name of the answer for key i.
func (a *answers[V]) lookup(i int) tier.Lookup {
	switch {
	case a.each != nil:
		return a.each[i].lookup()
	case a.got[i].Err != nil:
		return tier.LookupError
	case a.got[i].Answer.Found == backends.Hit:
		return tier.LookupHit
	default:
		return tier.LookupMiss
	}
}

// worst returns the lookup that says most of trouble, and its error.
func (a *answers[V]) worst(n int) (worst tier.Lookup, err error) {
	worst = tier.LookupHit
	for i := range n {
		if l := a.lookup(i); l > worst {
			worst, err = l, a.at(i).err
		}
	}
	return worst, err
}

// bar bars those of open keys, if there are any. Before is what barringAll returned before L2
// was asked.
func (a *answers[V]) bar(e *Engine[V], keys []string, before []*ledger.Entry) {
	if before == nil && !e.bars() {
		return
	}
	if before == nil {
		before = make([]*ledger.Entry, len(keys))
	}
	if a.each == nil {
		each := make([]found[V], len(keys))
		for i := range each {
			each[i] = a.at(i)
		}
		a.each = each
	}
	for i := range a.each {
		e.bar(keys[i], &a.each[i], before[i])
	}
}

// ifExited gives its error to each answer of a call that ended its goroutine.
func (a *answers[V]) ifExited(keys []string) {
	for i := range a.got {
		a.got[i].Err = ifExited(keys[i], a.got[i].Err)
	}
	for i := range a.each {
		a.each[i].err = ifExited(keys[i], a.each[i].err)
	}
}

// ifExited returns the error of a read that ended its goroutine, if err is the mark that says so,
// and err otherwise. Only then, because it is dear: its text must not quote the key.
func ifExited(key string, err error) error {
	if err == guard.ErrExited { //nolint:errorlint // the mark that was set beforehand
		return exited(tier.L2, tier.Get, key, tier.Failed)
	}
	return err
}
