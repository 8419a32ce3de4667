package redisbackend

import (
	"context"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/expiry"
	"github.com/tiercache/tiercache/internal/redislog"
	"github.com/tiercache/tiercache/tier"
)

// Stage checks key and value against the limits of Redis, puts the header in
// front of a copy of the value, and returns the function that sends it. Nothing
// is sent before that. Errors are [backends.ErrEmptyKey] or a
// [*backends.TooLargeError]; both are certainly not applied.
func (b *Backend) Stage(ctx context.Context, key string, entry backends.Entry[[]byte]) (set func(ctx context.Context) error, err error) {
	if ctx == nil {
		return nil, backends.ErrNilContext
	}
	if b.log != nil {
		return b.stageLogged(key, entry)
	}
	c, err := b.stage(key, entry)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return b.write(ctx, "set", c) }, nil
}

func (b *Backend) stageLogged(key string, entry backends.Entry[[]byte]) (set func(ctx context.Context) error, err error) {
	c, err := b.prepare(&backends.Write[[]byte]{Key: key, Kind: tier.Set, Entry: entry})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		_, err := b.writeLogged(ctx, c)
		return err
	}, nil
}

func (b *Backend) stage(key string, entry backends.Entry[[]byte]) (change, error) {
	if err := b.limits.CheckKey(key); err != nil {
		return change{}, err
	}
	if err := b.limits.CheckValue(entry.Value); err != nil {
		return change{}, err
	}
	c := change{key: b.prefix + key, data: entry.Value, expiresAt: expiry.Encode(entry.ExpiresAt)}
	if !b.raw {
		c.data = redislog.Encode(c.expiresAt, entry.Value)
	}
	return c, nil
}
