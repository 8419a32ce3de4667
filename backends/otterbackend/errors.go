package otterbackend

import "errors"

// ErrNilCache is returned by [FromCache] when it was given no cache.
var ErrNilCache = errors.New("otterbackend: the cache is nil: pass one made by otter.New, or use New")

// ErrBadOption is wrapped by the errors of [New], which name the wrong option.
var ErrBadOption = errors.New("otterbackend: bad option")
