package coherence

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

// bound is the X of all runs.
const bound = time.Second

const (
	callLimit  = 300 * time.Millisecond // of a call of Redis
	closeLimit = 10 * time.Second
)

// setup is how an instance is made. A process gets it as JSON.
type setup struct {
	Number    int
	Board     string
	Writes    int // for which the board has room
	Addrs     []string
	Sentinel  string // name of the master, if the addresses are of sentinels
	Cluster   bool
	LogLength int
	Rate      int // of writes a second
	Broken    breakage
	Seed      uint64
}

// connect returns a client, whose calls are not repeated, so that an acknowledged write
// was applied once.
func (s *setup) connect() redis.UniversalClient {
	off := &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	switch {
	case s.Cluster:
		return redis.NewClusterClient(&redis.ClusterOptions{
			Addrs: s.Addrs, ContextTimeoutEnabled: true, DialTimeout: callLimit, ReadTimeout: callLimit,
			DisableIdentity: true, MaintNotificationsConfig: off,
		})
	case s.Sentinel != "":
		return redis.NewFailoverClient(&redis.FailoverOptions{
			MasterName: s.Sentinel, SentinelAddrs: s.Addrs, ContextTimeoutEnabled: true, MaxRetries: -1,
			DialTimeout: callLimit, ReadTimeout: callLimit, DialerRetries: 1, DisableIdentity: true,
		})
	default:
		return redis.NewClient(&redis.Options{
			Addr: s.Addrs[0], ContextTimeoutEnabled: true, MaxRetries: -1, DialTimeout: callLimit, ReadTimeout: callLimit,
			DialerRetries: 1, DisableIdentity: true, MaintNotificationsConfig: off,
		})
	}
}

// instance is one process of a service, or one of several in this process.
type instance struct {
	setup
	clock clock
	board *board
	names [keys]string
	cache *tiercache.Cache[int64]
}

func keyName(k int) string { return "user:" + strconv.Itoa(k) }

// run reads and writes until the board says stop.
func (s setup) run(ctx context.Context, b *board) (err error) {
	i := &instance{setup: s, board: b}
	for k := range i.names {
		i.names[k] = keyName(k)
	}
	if i.clock, err = newClock(); err != nil {
		return err
	}
	client := s.connect()
	defer func() { err = errors.Join(err, client.Close()) }()
	l1, err := otterbackend.New[int64]()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l1.Close()) }()
	store, err := redisbackend.New(client, redisbackend.WithoutKeyPrefix(), redisbackend.WithLog(),
		redisbackend.WithLogLength(s.LogLength), redisbackend.WithWriteRetries(0))
	if err != nil {
		return err
	}
	l2, err := backends.WithCodec(store, backends.JSON[int64]())
	if err != nil {
		return err
	}
	first, second := s.Broken.tiers(l1, l2)
	i.cache, err = tiercache.New("chaos", first, second, s.options()...)
	if err != nil {
		return err
	}
	i.use(ctx)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
	defer cancel()
	err = i.cache.Close(ctx)
	if errors.Is(err, tiercache.ErrDiverged) {
		return nil // the run may end before a key is repaired, and without a heartbeat none is
	}
	return err
}

func (i *instance) use(ctx context.Context) {
	var users sync.WaitGroup
	for r := range readersEach {
		agent := i.Number*readersEach + r
		users.Go(func() { i.readOn(ctx, agent, rand.New(rand.NewPCG(i.Seed, uint64(agent)))) }) //nolint:gosec // small
	}
	users.Go(func() { i.writeOn(ctx, rand.New(rand.NewPCG(i.Seed, uint64(agents+i.Number)))) }) //nolint:gosec // small
	users.Wait()
}

// pause returns early, and false, when ctx ends.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// errFull says that the board has no room for another write.
var errFull = fmt.Errorf("the board is full")
