package redis_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/internal/e2e/server"
	"github.com/tiercache/tiercache/tier"
)

// The budgets of the time that the server works on a write longer than on a SET, and how
// much more a machine may take that is busy with other work.
const (
	deadlineBudget    = 10.0 // µs: an unconditional write with a deadline
	conditionalBudget = 14.0 // µs: one with a condition and a source version as well
	serverRoom        = 1.2
)

const (
	serverTurns = 60
	serverTurn  = 200 // writes
)

// BenchmarkRedisServerTime is the time that the server works on a write, as it counts it
// itself. Each kind has the least of many turns that alternate with those of the others:
// whatever else the machine does makes a turn longer, and never shorter.
func BenchmarkRedisServerTime(b *testing.B) {
	s := startRedis(b)
	client := newClientOf(b, s)
	logged, err := redisbackend.New(client, redisbackend.WithoutKeyPrefix(), redisbackend.WithLog())
	require.NoError(b, err)
	entry := entryOf(benchValue, benchTTL)
	version := make(map[string]backends.Version)
	write := func(ctx context.Context, key string, w backends.Write[[]byte]) error {
		w.Key, w.Kind, w.Entry, w.Before = key, tier.Set, entry, time.Now().Add(time.Minute)
		r, err := logged.Write(ctx, &w)
		version[key] = r.Version
		if err == nil && !r.Applied() {
			return errMiss
		}
		return err
	}
	kinds := []struct {
		name, command string
		do            func(ctx context.Context, key string) error
	}{
		{"SET", "set", func(ctx context.Context, key string) error {
			return client.Set(ctx, "plain:"+key, benchValue, benchTTL).Err()
		}},
		{"deadline", "evalsha", func(ctx context.Context, key string) error { return write(ctx, key, backends.Write[[]byte]{}) }},
		{"conditional", "evalsha", func(ctx context.Context, key string) error {
			return write(ctx, key, backends.Write[[]byte]{If: backends.Is(version[key]), Source: 1})
		}},
	}
	least := make([]float64, len(kinds))
	for range serverTurns {
		for i, kind := range kinds {
			before := commandMicros(b, s, kind.command)
			for n := range serverTurn {
				require.NoError(b, kind.do(b.Context(), "k"+strconv.Itoa(n%100)))
			}
			took := (commandMicros(b, s, kind.command) - before) / serverTurn
			if least[i] == 0 || took < least[i] {
				least[i] = took
			}
		}
	}
	for i, budget := range []float64{0, deadlineBudget, conditionalBudget} {
		over := least[i] - least[0]
		b.Run(kinds[i].name, func(b *testing.B) {
			for b.Loop() {
				require.NoError(b, kinds[i].do(b.Context(), "k0"))
			}
			b.ReportMetric(least[i], "server-µs/op")
			b.ReportMetric(over, "over-SET-µs/op")
			if budget > 0 && over > budget*serverRoom {
				b.Errorf("the server works %.1f µs longer than on a SET: it may %.0f", over, budget)
			}
		})
	}
}

// commandMicros is how long the server has worked on a command.
func commandMicros(b *testing.B, s *server.Redis, command string) float64 {
	b.Helper()
	info, err := s.Admin.Info(b.Context(), "commandstats").Result()
	require.NoError(b, err)
	_, rest, _ := strings.Cut(info, "cmdstat_"+command+":calls=")
	_, rest, found := strings.Cut(rest, "usec=")
	if !found {
		return 0 // there was none
	}
	text, _, _ := strings.Cut(rest, ",")
	micros, err := strconv.ParseFloat(text, 64)
	require.NoError(b, err)
	return micros
}
