package tiercache

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/internal/engine"
)

// SetTTL sets the TTL of the value that a [Loader] is about to return, for instance to the
// remaining validity of a token. Call it in the loader, with the loader's context or one derived
// from it:
//
//	token, err := cache.GetOrLoad(ctx, key, time.Hour, func(ctx context.Context, key string) (Token, error) {
//		token, err := fetch(ctx, key)
//		if err == nil {
//			err = tiercache.SetTTL(ctx, time.Until(token.Expiry))
//		}
//		return token, err
//	})
//
// Without it, or with 0, the value has the TTL that was given to [Cache.GetOrLoad]. The last call
// counts. [WithRefreshAhead] takes its fraction of the TTL that was set. If the loader returns an
// error, its TTL is ignored.
//
// For a negative TTL, SetTTL returns an error that wraps [ErrInvalid]. If the loader ignores the
// error, the load fails, because a value that has expired must not be stored for a default TTL.
// SetTTL also returns an error that wraps ErrInvalid for a context that is not a loader's, and once
// the loader has returned. It is safe for concurrent use.
//
// The TTL goes through the context, like a header in gRPC, and is not a result of the loader. So
// one type of loader, and every function that wraps it, serves values with a TTL of their own and
// without.
func SetTTL(ctx context.Context, ttl time.Duration) error { return engine.SetTTL(ctx, ttl) }
