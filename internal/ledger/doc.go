// Package ledger keeps the keys whose tiers may differ, until they are repaired.
//
//	l := ledger.New(ledger.Limits{})
//	l.Open(&ledger.Entry{Key: key, Cause: ledger.Unknown, …})   a write diverged
//	l.Take(now, 64, lease)                                      keys whose time has come
//	l.Close(key, ledger.Applied)                                the tiers agree again
//
// A key has one entry: of its newest write, and of the time since which it is open. A
// write that diverges while the key is open closes the event of the older one as
// superseded, and the key stays open until the deadlines of both have passed: the older
// one may still arrive, and be the last.
//
// Each event is counted when it opens and when it closes. At any instant, read under
// one lock,
//
//	opened − closed = open
//
// The ledger is bounded in entries and in bytes. An event for which there is no room is
// opened and closed at once, as dropped, and the caller is told, who drops his copy. The
// ledger calls nobody.
package ledger
