// Package guard stands between the engine and foreign code: backends,
// codecs, loaders, hooks, policies, formatters, and the processors of telemetry.
//
// A [Tier] is a backend behind all guards. Its calls end by themselves, do not
// panic, name their outcome, and return errors that neither quote the key nor
// panic when their text is read.
//
// # Panics and exits
//
// A call of a stranger's function ends in one of three ways: it returns, it panics, or
// it calls [runtime.Goexit], as a failing assertion of a test does in a fake. The first
// two end at the guard that made the call, which defers [Catch] or [Report]. An exit
// cannot be stopped: it runs the deferred functions of the goroutine and ends it. So
// every function of the engine that holds something, a key's lock, a span or a flight,
// sets its result to [ErrExited] or to an unknown outcome beforehand and releases it in
// a deferred function:
//
//	outcome, err := tier.Unknown, guard.ErrExited
//	defer func() { w.ended(call, outcome, err) }()
//	outcome, err = t.Set(ctx, key, entry)
//
// There is no second mechanism.
package guard
