package driver

import (
	"errors"

	"github.com/redis/rueidis"

	"github.com/tiercache/tiercache/backends/rueidisbackend"
)

// overRueidis is a driver of tiercache whose L2 is the same Redis by another adapter.
func overRueidis(d Driver) Driver {
	over := d
	over.NeedsRedis = true
	over.Lacks = map[Feature]string{FakeL2: "its L2 is the server"}
	over.New = func(cfg Config) (*Cache, error) {
		if cfg.Redis == nil {
			return nil, errors.New("rueidisbackend needs a Redis")
		}
		client, err := rueidis.NewClient(rueidis.ClientOption{
			InitAddress: []string{cfg.Redis.Addr}, SelectDB: cfg.Redis.Client.Options().DB,
			DisableCache: true, AlwaysPipelining: true, ForceSingleClient: true,
			PipelineMultiplex: rueidisMultiplex, MaxFlushDelay: rueidisFlushDelay,
		})
		if err != nil {
			return nil, err
		}
		if cfg.L2, err = rueidisbackend.New(client, rueidisbackend.WithoutKeyPrefix()); err != nil {
			client.Close()
			return nil, err
		}
		cache, err := d.New(cfg)
		if err != nil {
			client.Close()
			return nil, err
		}
		end := cache.Close
		cache.Close = func() {
			end()
			client.Close()
		}
		return cache, nil
	}
	return over
}
