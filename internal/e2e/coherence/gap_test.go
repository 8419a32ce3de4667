package coherence

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/internal/e2e/server"
	"github.com/tiercache/tiercache/internal/e2e/stall"
)

// gapFixture is a follower, another cache that writes and follows nobody, and their server.
type gapFixture struct {
	*follower
	t      *testing.T
	server *server.Redis
	other  *tiercache.Cache[string]
}

func (f *gapFixture) admin(args ...any) any {
	f.t.Helper()
	reply, err := f.server.Admin.Do(f.t.Context(), args...).Result()
	require.NoError(f.t, err)
	return reply
}

// head returns the id of the log's newest message, and its era.
func (f *gapFixture) head() (id, era string) {
	f.t.Helper()
	messages, err := f.server.Admin.XRevRangeN(f.t.Context(), logKey, "+", "-", 1).Result()
	require.NoError(f.t, err)
	require.Len(f.t, messages, 1)
	era, _, _ = strings.Cut(messages[0].ID, "-")
	return messages[0].ID, era
}

// awaitHit waits until L1 has the value: the message about it keeps a read from storing it
// that is under way.
func (f *gapFixture) awaitHit(t *testing.T, value string) {
	t.Helper()
	require.Eventually(t, func() bool { return f.read(t, "k") == value+" (l1)" }, patience, time.Millisecond)
}

// outage cuts the follower off for so long, in which others write, and the log is trimmed.
func (f *gapFixture) outage(d time.Duration) (back time.Time) {
	f.t.Helper()
	f.network.CutOff()
	for i := range 3 {
		require.NoError(f.t, f.other.Set(f.t.Context(), "another", strconv.Itoa(i), 0))
	}
	f.admin("xtrim", logKey, "maxlen", 1)
	pause(f.t.Context(), d)
	f.network.Mend()
	return time.Now()
}

// gaps are all causes, and how they come about.
var gaps = map[string]struct {
	make   func(f *gapFixture) (back time.Time)
	events []string
	cause  string
}{
	"trimmed": {func(f *gapFixture) time.Time {
		_, era := f.head()
		_, err := f.server.Admin.TxPipelined(f.t.Context(), func(p redis.Pipeliner) error {
			for range 3 {
				p.Do(f.t.Context(), "xadd", logKey, era+"-*", "k", "another", "m", "s00000000", "s", "1", "u", "1")
			}
			p.XTrimMaxLen(f.t.Context(), logKey, 1)
			return nil
		})
		require.NoError(f.t, err)
		return time.Now()
	}, []string{"lost trimmed", "restored trimmed"}, "trimmed"},
	"disconnected for a moment": {func(f *gapFixture) time.Time {
		return f.outage(0)
	}, []string{"lost disconnected", "restored disconnected"}, "disconnected"},
	"disconnected for longer than the bound": {func(f *gapFixture) time.Time {
		return f.outage(2 * longBound)
	}, []string{"lost overdue", "restored disconnected"}, "disconnected"},
	"server restarted": {func(f *gapFixture) time.Time {
		require.NoError(f.t, f.server.Restart(f.t.Context()))
		return time.Now()
	}, []string{"lost server_changed", "restored server_changed"}, "server_changed"},
	"flushed": {func(f *gapFixture) time.Time {
		f.admin("flushall")
		return time.Now()
	}, []string{"lost log_replaced", "restored log_replaced"}, "log_replaced"},
	"log deleted": {func(f *gapFixture) time.Time {
		f.admin("del", logKey)
		return time.Now()
	}, []string{"lost log_replaced", "restored log_replaced"}, "log_replaced"},
	"newest message deleted": {func(f *gapFixture) time.Time {
		id, _ := f.head()
		f.admin("xdel", logKey, id)
		return time.Now()
	}, []string{"lost behind", "restored behind"}, "behind"},
	"another protocol": {func(f *gapFixture) time.Time {
		_, era := f.head()
		f.admin("xadd", logKey, era+"-*", "k", "", "m", "h9", "s", "1", "u", "1")
		return time.Now()
	}, []string{"lost protocol"}, "protocol"},
}

// found is within how long after the connection is back a gap is found: a heartbeat, and
// room for a machine that is busy.
const found = time.Second

// Each cause of a gap is found within a heartbeat, and is one event. After it, L1's entry
// is compared with L2 before it is a hit again.
func TestGaps(t *testing.T) {
	t.Parallel()
	for name, test := range gaps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, durable...)
			f := &gapFixture{newFollower(t, s), t, s, newCache(t, client{addr: s.Addr}, newL1(t))}
			require.NoError(t, f.other.Set(t.Context(), "k", "v", 0))
			require.Equal(t, "v (l2)", f.read(t, "k"))
			f.awaitHit(t, "v")

			before, stalled := len(f.events(t)), stall.Watch(t)
			back := test.make(f)
			require.Eventually(t, func() bool { return f.Status().Coherence.Epoch > 1 }, patience, time.Millisecond)
			took := time.Since(back)
			report(t, "found after %v", took)
			assert.Less(t, took, found+stalled())
			if name == "another protocol" {
				assert.Equal(t, "v (l2)", f.read(t, "k"))
				assert.Equal(t, "v (l2)", f.read(t, "k"), "for ever")
			} else {
				f.awaitTrust(t)
				want := "v"
				if name == "flushed" {
					assert.Equal(t, "none", f.read(t, "k"))
					want = "w"
					require.NoError(t, f.other.Set(t.Context(), "k", want, 0))
				}
				assert.Equal(t, want+" (l2)", f.read(t, "k"))
				f.awaitHit(t, want)
			}
			pause(t.Context(), bound) // in which no second event may come
			assert.Equal(t, test.events, f.events(t)[before:])
			assert.Equal(t, map[string]int64{test.cause: 1}, f.gaps(t))
			assert.EqualValues(t, 2, f.Status().Coherence.Epoch)
		})
	}
}

// A server that cannot be watched is no error, and no entry of L1 is ever a hit.
func TestGaps_Unsupported(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	require.NoError(t, s.Admin.Do(t.Context(), "acl", "setuser", "u", "on", ">u", "~*", "+@all", "-xread").Err())
	f := unsyncedFollower(t, s, "u")
	require.Eventually(t, func() bool { return f.Status().Coherence.Cause == "unsupported" }, patience, time.Millisecond)
	require.NoError(t, f.Set(t.Context(), "k", "v", 0))
	assert.Equal(t, "v (l2)", f.read(t, "k"))
	assert.Equal(t, "v (l2)", f.read(t, "k"))
	pause(t.Context(), bound)
	assert.Equal(t, []string{"lost unsupported"}, f.events(t))
	assert.Equal(t, map[string]int64{"unsupported": 1}, f.gaps(t))
}
