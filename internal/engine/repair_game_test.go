package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// game is two caches, one store, and all that was done to it.
type game struct {
	t       *testing.T
	random  *rand.Rand
	store   *backendtest.Store[string]
	players [2]*player
	ends    map[string]int

	mu      sync.Mutex
	chance  *rand.Rand     // of calls of L2, which come from several goroutines
	seq     int            // counts operations and changes
	made    []change       // all changes in L2 that were not lost
	current map[string]int // the number of the operation in which a value was made
	held    []*request     // which may still arrive
	noise   bool           // the writes of repairs have faults too
	third   *player        // a process that writes in between
}

// change is one that L2 has made.
type change struct {
	key     string
	value   string // "": it was deleted
	version backends.Version
	player  int
	began   int // when the operation did
	seq     int
}

// request is one that its sender does not hear of.
type request struct {
	player *player
	write  backends.Write[string]
	began  int
	user   bool // it is no repair
}

// player is one cache and its way to the store.
type player struct {
	*tiercache.Cache[string]
	client *backendtest.Client[string]
	game   *game
	number int
	mode   int                // of the next write
	down   bool               // all calls fail
	writes string             // the key that is being written by the cache's user
	began  map[string]int     // the last operation of each key
	failed map[string]failure // of those that are open
	l1     *backendtest.Map[string]
}

// failure is an operation that failed.
type failure struct {
	began int
	seen  backends.Version // before it
}

const gameKeys = 5

func newGame(t *testing.T, seed, part uint64, policy writepolicy.Policy) *game {
	t.Helper()
	g := &game{
		t: t, random: rand.New(rand.NewPCG(seed, part)), store: backendtest.NewStore[string](), //nolint:gosec // it is to repeat itself
		chance:  rand.New(rand.NewPCG(seed, ^part)), //nolint:gosec // likewise
		current: make(map[string]int), ends: make(map[string]int), noise: true,
	}
	g.third = &player{client: g.store.Client(), game: g, number: len(g.players)}
	for n := range g.players {
		p := &player{
			client: g.store.Client(), game: g, number: n, l1: backendtest.NewMap[string](),
			began: make(map[string]int), failed: make(map[string]failure),
		}
		var err error
		p.Cache, err = tiercache.New("users", p.l1, &way{p.client, p}, tiercache.WithCoherence(bound, tiercache.AskL2),
			tiercache.WithWritePolicy(policy), tiercache.WithTelemetry(tracing.Disabled(), tracing.WithSlog(countEnds(g))))
		require.NoError(t, err)
		<-p.client.Watched()
		require.True(t, p.client.Sync())
		g.players[n] = p
	}
	return g
}

// way is a player's way to the store, on which requests are lost.
type way struct {
	*backendtest.Client[string]
	player *player
}

func (w *way) GetIf(ctx context.Context, key string, have backends.Version) (backends.Entry[string], backends.Answer, error) {
	p, g := w.player, w.player.game
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.down {
		return backends.Entry[string]{}, backends.Answer{}, errDown
	}
	entry, answer, err := w.Client.GetIf(ctx, key, have)
	g.intrude(key)
	return entry, answer, err
}

// intrude lets another process write the key, or delete it, at some of the calls. It is
// called locked.
func (g *game) intrude(key string) {
	if g.chance.IntN(5) > 0 {
		return
	}
	g.seq++
	w := backends.Write[string]{Key: key, Kind: tier.Delete}
	if g.chance.IntN(4) > 0 {
		w.Kind, w.Entry.Value = tier.Set, fmt.Sprintf("%d by %d", g.seq, g.third.number)
		g.current[w.Entry.Value] = g.seq
	}
	_, _ = g.arrive(context.Background(), &request{player: g.third, began: g.seq, user: true, write: w})
}

func (w *way) Set(ctx context.Context, key string, entry backends.Entry[string]) error {
	_, err := w.Write(ctx, &backends.Write[string]{Key: key, Kind: tier.Set, Entry: entry})
	return err
}

func (w *way) Delete(ctx context.Context, key string) error {
	_, err := w.Write(ctx, &backends.Write[string]{Key: key, Kind: tier.Delete})
	return err
}

// The modes of a write.
const (
	modeFine = iota
	modeRefuse
	modeLose
	modeLoseAnswer
	modeHold
	modes
)

func (w *way) Write(ctx context.Context, bw *backends.Write[string]) (backends.Result, error) {
	p, g := w.player, w.player.game
	g.mu.Lock()
	defer g.mu.Unlock()
	mode, repair := p.mode, bw.If.Test == backends.TestNotNewer
	p.mode = modeFine
	if repair && g.noise && g.chance.IntN(3) == 0 {
		mode = g.chance.IntN(modes)
	}
	if p.down {
		mode = modeRefuse
	}
	r := &request{player: p, write: *bw, began: p.began[bw.Key], user: p.writes == bw.Key && !repair}
	if mode != modeFine && r.user {
		g.intrude(bw.Key)
		_, _, _ = w.Client.GetIf(ctx, bw.Key, 0) // and the player learns of it
	}
	switch mode {
	case modeRefuse:
		return backends.Result{}, errDown
	case modeLose:
		return backends.Result{}, context.DeadlineExceeded
	case modeHold:
		g.held = append(g.held, r)
		return backends.Result{}, context.DeadlineExceeded
	}
	res, err := g.arrive(ctx, r)
	if mode == modeLoseAnswer {
		return backends.Result{}, context.DeadlineExceeded
	}
	return res, err
}

// last returns the last change of a key in L2.
func (g *game) last(key string) (c change) {
	for _, made := range slices.Backward(g.made) {
		if made.key == key {
			return made
		}
	}
	return c
}

// arrive lets the store decide on a request. It is called locked.
func (g *game) arrive(ctx context.Context, r *request) (backends.Result, error) {
	w := &r.write
	live := g.store.Remembers(w.Key).Found == backends.Hit
	last := g.last(w.Key)
	res, err := r.player.client.Write(ctx, w)
	if err != nil || !res.Applied() {
		return res, err
	}
	g.seq++
	newer := last.player != r.player.number && last.seq > r.began || last.player == r.player.number && last.began > r.began
	if !r.user && newer && (w.Kind == tier.Set || live) {
		g.t.Errorf("a repair of %s by %d, which began at %d, replaced the change of %d made at %d", w.Key, r.player.number, r.began, last.player, last.seq)
	}
	g.made = append(g.made, change{w.Key, w.Entry.Value, res.Version, r.player.number, r.began, g.seq})
	return res, nil
}
