package driver

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/viccon/sturdyc"
)

// sturdycShards and sturdycEvict are those of the library's own examples: ten
// shards, of which a tenth is evicted when one is full.
const (
	sturdycShards = 10
	sturdycEvict  = 10
)

// sturdycDriver is the library with a distributed storage. Its Set and Delete are of L1
// only: it writes only loaded values to L2, in the background. It always encodes them
// as JSON.
//
// A plain Get is a fetch that finds nothing, because only fetches read L2.
func sturdycDriver() Driver {
	const noWrite = "Set writes L1 only; L2 gets what is loaded"
	const noDelete = "Delete is of L1 only"
	return Driver{
		Name:   "sturdyc",
		Module: "github.com/viccon/sturdyc",
		Encode: sturdycEncode,
		Decode: sturdycDecode,
		Lacks: map[Feature]string{
			FakeL1: "its L1 is its own and cannot be given faults", WriteThrough: noWrite,
			DeleteBoth: noDelete, SetIfAbsent: "it has no set-if-absent",
		},
		New: func(cfg Config) (*Cache, error) {
			storage := &sturdycStorage{cfg: cfg}
			client := sturdyc.New[[]byte](cfg.L1Size, min(sturdycShards, cfg.L1Size), cfg.TTL, sturdycEvict,
				sturdyc.WithDistributedStorage(storage), sturdyc.WithLog(&sturdyc.NoopLogger{}))
			return &Cache{
				Set: func(_ context.Context, key string, value []byte) error {
					client.Set(key, value)
					return nil
				},
				Get: func(ctx context.Context, key string) ([]byte, bool, error) {
					value, err := client.GetOrFetch(ctx, key, sturdycMiss)
					if errors.Is(err, sturdyc.ErrNotFound) {
						return nil, false, nil
					}
					return value, err == nil, err
				},
				Delete: func(_ context.Context, key string) error {
					client.Delete(key)
					return nil
				},
				GetOrLoad: func(ctx context.Context, key string) ([]byte, error) {
					return client.GetOrFetch(ctx, key, func(ctx context.Context) ([]byte, error) {
						value, err := cfg.Load(ctx, key)
						if err == nil {
							storage.expectWrite()
						}
						return value, err
					})
				},
				PeekL1: client.Get,
				EvictL1: func(key string) bool {
					client.Delete(key) // it is of L1 only, so it is as good
					return true
				},
				Settle:    storage.writes.Wait,
				Telemetry: noTelemetry,
				Close:     nothing, // the client's goroutine cannot be ended
			}, nil
		},
	}
}

func sturdycMiss(context.Context) ([]byte, error) { return nil, sturdyc.ErrNotFound }

// sturdycStorage is a tier as a distributed storage of the library, which has no
// way to be told of an error.
type sturdycStorage struct {
	cfg    Config
	writes sync.WaitGroup // those that the library makes in the background
}

var _ sturdyc.DistributedStorage = (*sturdycStorage)(nil)

// expectWrite is called when the library is about to write a loaded value.
func (s *sturdycStorage) expectWrite() { s.writes.Add(1) }

// Get implements sturdyc.DistributedStorage.
func (s *sturdycStorage) Get(ctx context.Context, key string) ([]byte, bool) {
	entry, ok, err := s.cfg.L2.Get(ctx, key)
	if !ok || err != nil {
		return nil, false
	}
	return entry.Value, true
}

// Set implements sturdyc.DistributedStorage.
func (s *sturdycStorage) Set(ctx context.Context, key string, value []byte) {
	defer s.writes.Done()
	_ = s.cfg.L2.Set(ctx, key, entryOf(value, s.cfg.TTL))
}

// GetBatch is not used.
func (*sturdycStorage) GetBatch(context.Context, []string) map[string][]byte { return nil }

// SetBatch is not used.
func (*sturdycStorage) SetBatch(context.Context, map[string][]byte) {}

// sturdycRecord is sturdyc's form of a value in L2.
type sturdycRecord struct {
	CreatedAt time.Time `json:"created_at"`
	Value     []byte    `json:"value"`
}

func sturdycEncode(value []byte) []byte {
	data, err := json.Marshal(sturdycRecord{CreatedAt: time.Now(), Value: value})
	if err != nil {
		panic(err) // bytes and a time can always be encoded
	}
	return data
}

func sturdycDecode(stored []byte) []byte {
	var record sturdycRecord
	if err := json.Unmarshal(stored, &record); err != nil {
		return stored
	}
	return record.Value
}
