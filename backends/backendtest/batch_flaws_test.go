package backendtest_test

import (
	"context"
	"slices"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
)

// batcher is a client whose batches are bent.
type batcher struct {
	*client
	getMany   func(ctx context.Context, c *client, keys []string, got []backends.Got[string])
	writeMany func(ctx context.Context, c *client, writes []write, done []backends.Done)
}

func (b batcher) GetMany(ctx context.Context, keys []string, got []backends.Got[string]) {
	if b.getMany == nil || ctx == nil || len(keys) != len(got) {
		b.client.GetMany(ctx, keys, got)
		return
	}
	b.getMany(ctx, b.client, keys, got)
}

func (b batcher) WriteMany(ctx context.Context, writes []write, done []backends.Done) {
	if b.writeMany == nil || ctx == nil || len(writes) != len(done) {
		b.client.WriteMany(ctx, writes, done)
		return
	}
	b.writeMany(ctx, b.client, writes, done)
}

// logged is a client that changes the calls of its sinks.
type logged struct {
	*client
	sink sinkFuncs
}

func (b logged) Watch(ctx context.Context, sink backends.Sink) error {
	if ctx == nil || sink == nil {
		return b.client.Watch(ctx, sink)
	}
	f := b.sink
	f.next = sink
	err := b.client.Watch(ctx, f)
	if f.stays {
		time.Sleep(time.Minute)
	}
	return err
}

type sinkFuncs struct {
	next   backends.Sink
	edit   func(changes []backends.Change) []backends.Change
	silent bool // never synced
	loses  bool
	stays  bool // after its context has ended
}

func (s sinkFuncs) Changed(changes []backends.Change) {
	if s.edit != nil {
		changes = s.edit(changes)
	}
	s.next.Changed(changes)
}

func (s sinkFuncs) Synced(asOf time.Time) {
	if s.loses {
		s.next.Lost(backends.LossUnknown)
	}
	if !s.silent {
		s.next.Synced(asOf)
	}
}

func (s sinkFuncs) Lost(cause backends.Loss) { s.next.Lost(cause) }

// batchFlaws are backends whose batches are wrong.
func batchFlaws() map[string]flaw {
	reads := func(getMany func(ctx context.Context, c *client, keys []string, got []backends.Got[string]), found ...string) flaw {
		return flaw{
			backend: func() backends.Backend[string] { return batcher{client: newClient(), getMany: getMany} },
			found:   found,
		}
	}
	writes := func(writeMany func(ctx context.Context, c *client, writes []write, done []backends.Done), found ...string) flaw {
		return flaw{
			backend: func() backends.Backend[string] { return batcher{client: newClient(), writeMany: writeMany} },
			found:   found,
		}
	}
	return map[string]flaw{
		"a batch of reads mixes up the places": reads(func(ctx context.Context, c *client, keys []string, got []backends.Got[string]) {
			c.GetMany(ctx, keys, got)
			slices.Reverse(got)
		}, "batches-answer-by-index", "batches-decide-each-element"),
		"a batch of reads answers each key once": reads(func(ctx context.Context, c *client, keys []string, got []backends.Got[string]) {
			c.GetMany(ctx, keys, got)
			for i, key := range keys {
				if slices.Index(keys, key) < i {
					got[i] = backends.Got[string]{}
				}
			}
		}, "batches-answer-by-index", "batches-decide-each-element"),
		"a batch of reads ends after 128": reads(func(ctx context.Context, c *client, keys []string, got []backends.Got[string]) {
			n := min(len(keys), 128)
			c.GetMany(ctx, keys[:n], got[:n])
		}, "batches-answer-by-index"),
		"a batch of reads has no metadata": reads(func(ctx context.Context, c *client, keys []string, got []backends.Got[string]) {
			c.GetMany(ctx, keys, got)
			for i := range got {
				got[i].Answer = backends.Answer{Found: got[i].Answer.Found, Version: got[i].Answer.Version}
			}
		}, "batches-decide-each-element"),
		"a batch of writes mixes up the places": writes(func(ctx context.Context, c *client, writes []write, done []backends.Done) {
			c.WriteMany(ctx, writes, done)
			slices.Reverse(done)
		}, "batches-answer-by-index", "batches-decide-each-element", "the-log-has-every-change"),
		"a batch of writes is made backwards": writes(func(ctx context.Context, c *client, writes []write, done []backends.Done) {
			for i := range slices.Backward(writes) {
				c.WriteMany(ctx, writes[i:i+1], done[i:i+1])
			}
		}, "batches-answer-by-index", "batches-decide-each-element", "the-log-has-every-change"),
		"a batch of writes stops at an error": writes(func(ctx context.Context, c *client, writes []write, done []backends.Done) {
			for i := range writes {
				c.WriteMany(ctx, writes[i:i+1], done[i:i+1])
				if done[i].Err != nil {
					for j := i + 1; j < len(done); j++ {
						done[j].Err = backends.NotApplied(errFlaw)
					}
					return
				}
			}
		}, "batches-decide-each-element"),
		"a batch of writes stops at a refusal, and says nothing": writes(func(ctx context.Context, c *client, writes []write, done []backends.Done) {
			for i := range writes {
				c.WriteMany(ctx, writes[i:i+1], done[i:i+1])
				if !done[i].Result.Applied() {
					return
				}
			}
		}, "batches-decide-each-element"),
		"a batch of writes ends after 128": writes(func(ctx context.Context, c *client, writes []write, done []backends.Done) {
			n := min(len(writes), 128)
			c.WriteMany(ctx, writes[:n], done[:n])
		}, "batches-answer-by-index"),
		"a batch of writes knows no conditions": writes(func(ctx context.Context, c *client, writes []write, done []backends.Done) {
			writes = slices.Clone(writes)
			for i := range writes {
				writes[i].If = backends.Always
			}
			c.WriteMany(ctx, writes, done)
		}, "batches-decide-each-element"),
		"a batch of writes has no metadata": writes(func(ctx context.Context, c *client, writes []write, done []backends.Done) {
			writes = slices.Clone(writes)
			for i := range writes {
				writes[i].Note = nil
			}
			c.WriteMany(ctx, writes, done)
		}, "batches-decide-each-element", "the-log-has-every-change"),
		"a store without versions makes conditional writes": {
			backend: func() backends.Backend[string] {
				return newClient().Described(backends.Description{Abilities: backends.Abilities{Batches: true}})
			},
			found: []string{"batches-decide-each-element"},
		},
	}
}

// logFlaws are backends whose log is wrong.
func logFlaws() map[string]flaw {
	all := make(map[string]flaw)
	add := func(name string, sink sinkFuncs) {
		all[name] = flaw{
			backend: func() backends.Backend[string] { return logged{newClient(), sink} },
			found:   []string{"the-log-has-every-change"},
		}
	}
	edit := func(change func(c *backends.Change)) sinkFuncs {
		return sinkFuncs{edit: func(changes []backends.Change) []backends.Change {
			for i := range changes {
				change(&changes[i])
			}
			return changes
		}}
	}
	without := func(drop func(c backends.Change) bool) sinkFuncs {
		return sinkFuncs{edit: func(changes []backends.Change) []backends.Change { return slices.DeleteFunc(changes, drop) }}
	}
	add("the log misses a change", without(func(c backends.Change) bool { return c.Operation == 1<<63+2 }))
	add("the log misses plain writes", without(func(c backends.Change) bool { return c.Operation == 0 && c.Key == "plain" }))
	add("the log misses batches", without(func(c backends.Change) bool { return c.Operation == 77 }))
	add("the log has changes twice", sinkFuncs{edit: func(changes []backends.Change) []backends.Change {
		return append(slices.Clone(changes), changes...)
	}})
	add("the log is in another order", sinkFuncs{edit: func(changes []backends.Change) []backends.Change {
		slices.Reverse(changes)
		return changes
	}})
	add("the log has no operations", edit(func(c *backends.Change) { c.Operation = 0 }))
	add("the log has no notes", edit(func(c *backends.Change) { c.Note = nil }))
	add("the log has other versions", edit(func(c *backends.Change) { c.Version++ }))
	add("the log takes deletions for writes", edit(func(c *backends.Change) { c.Kind = 1 }))
	add("the log has keys that were not changed", edit(func(c *backends.Change) { c.Key += "!" }))
	add("the log is never in sync", sinkFuncs{silent: true})
	add("changes are lost", sinkFuncs{loses: true})
	add("watching goes on after its context", sinkFuncs{stays: true})
	all["the store cannot be watched"] = flaw{
		backend: func() backends.Backend[string] {
			c := newClient()
			c.DenyWatch()
			return c
		},
		found: []string{"the-log-has-every-change"},
	}
	all["no version was seen"] = flaw{
		backend: func() backends.Backend[string] { return blind{newClient()} },
		found:   []string{"the-log-has-every-change"},
	}
	return all
}

type blind struct{ *client }

func (blind) Seen(string) backends.Version { return 0 }

var _ backends.Backend[string] = (*backendtest.Client[string])(nil)
