// Package tiercachedebug shows the state of the caches of a process: whether hits in L1
// are trusted, how often each tier was asked, with which results, and the latest
// inconsistencies.
//
//	debug := tiercachedebug.New()
//	users, err := tiercache.New("users", l1, l2,
//		tiercache.WithInconsistencyHook(debug.Record)) // optional: lists inconsistencies
//	err = debug.Add(users)
//	mux.Handle("/debug/tiercache", debug) // on a port for operators, as net/http/pprof
//
// The handler answers with a plain page, and with JSON for ?format=json or where the request
// accepts application/json alone. The page needs no scripts, and the handler calls no tier.
//
// Keys are hidden unless [WithKeys] shows them. Values are never shown. Only caches that
// were added are shown; there is no registry of the process.
package tiercachedebug
