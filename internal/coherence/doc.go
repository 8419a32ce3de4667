// Package coherence decides whether L1 may be trusted, while other processes write to
// the L2 that it copies.
//
// A [Machine] is the [backends.Sink] of one cache. The store's reader tells it of every
// change, of the instants up to which nothing was missed, and of losses. A read asks
// for the epoch that is trusted, by one reading of the clock and two atomic loads, and
// then compares the stamp of the entry that L1 has:
//
//	epoch := m.Trusted()                 before L1 is asked
//	entry, stamp := l1.GetStamped(key)
//	if coherence.Fresh(stamp, epoch) …   no change was older than the bound
//
// An entry that is not fresh is suspect: L2 is asked whether it still has that version,
// and if so the entry gets the stamp of the current epoch. So after a loss, which
// raises the epoch, no entry is removed, and each is trusted again one by one.
//
//	          Synced                Lost, or nothing for longer than the bound
//	joining ─────────▶ trusted ────────────────────────────────────────────────▶ lost
//	                      ▲                         Synced                        │
//	                      └───────────────────────────────────────────────────────┘
//
// A loss raises the epoch; a mere lapse of time does not, because the log still has the
// changes that come late. Between a loss and the next Synced no entry gets the current
// epoch: the reader may not have found its place in the log again, and the next change
// of the entry may be one that it never sees.
//
// A change drops the copy of L1 that it replaces; message.go has the rules. Nothing here
// knows a store, or the type of values.
package coherence
