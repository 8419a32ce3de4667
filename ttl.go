package tiercache

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/internal/engine"
)

// SetTTL sets the TTL of the value that a [Loader] is about to return, for instance the
// rest of a token's validity. It is called in the loader, with the context that the
// loader was given or one that is derived from it:
//
//	token, err := cache.GetOrLoad(ctx, key, time.Hour, func(ctx context.Context, key string) (Token, error) {
//		token, err := fetch(ctx, key)
//		if err == nil {
//			err = tiercache.SetTTL(ctx, time.Until(token.Expiry))
//		}
//		return token, err
//	})
//
// Without it, and for 0, the value has the TTL that was given to GetOrLoad. The last
// call counts. [WithRefreshAhead] takes its fraction of the TTL that was set. A loader
// that returns an error has set nothing.
//
// A negative TTL is an error that wraps [ErrInvalid]; if the loader drops it, the load
// fails with it, because a value that has expired must not be stored for a default TTL.
// So is any other context, and a loader that has returned. SetTTL is safe for concurrent
// use.
//
// SetTTL is a function of the context, as SetHeader is in gRPC, and not a result of the
// loader. So there is one type of loader for values with a TTL and without, also for
// functions that wrap one.
func SetTTL(ctx context.Context, ttl time.Duration) error { return engine.SetTTL(ctx, ttl) }
