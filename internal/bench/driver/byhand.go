package driver

import "context"

// byHandDriver calls the tiers, one after the other, without a
// library. It shows how much of a figure is that of the tiers, and promises
// nothing: neither order, nor writes that a cancellation cannot stop halfway.
func byHandDriver() Driver {
	const bare = "without a library there are no loads"
	return Driver{
		Name:   "no library",
		Module: "github.com/tiercache/tiercache",
		Lacks:  map[Feature]string{Load: bare, SetIfAbsent: bare},
		New: func(cfg Config) (*Cache, error) {
			l1, closeL1, err := cfg.l1()
			if err != nil {
				return nil, err
			}
			return &Cache{
				Set: func(ctx context.Context, key string, value []byte) error {
					entry := entryOf(value, cfg.TTL)
					if err := l1.Set(ctx, key, entry); err != nil {
						return err
					}
					return cfg.L2.Set(ctx, key, entry)
				},
				Get: func(ctx context.Context, key string) ([]byte, bool, error) {
					if entry, ok, err := l1.Get(ctx, key); ok && err == nil {
						return entry.Value, true, nil
					}
					entry, ok, err := cfg.L2.Get(ctx, key)
					if ok && err == nil {
						_ = l1.Set(ctx, key, entry)
					}
					return entry.Value, ok, err
				},
				Delete: func(ctx context.Context, key string) error {
					if err := l1.Delete(ctx, key); err != nil {
						return err
					}
					return cfg.L2.Delete(ctx, key)
				},
				Settle:    nothing,
				Telemetry: noTelemetry,
				Close:     closeL1,
			}, nil
		},
	}
}
