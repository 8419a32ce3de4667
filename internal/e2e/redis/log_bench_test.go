package redis_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/internal/e2e/server"
)

// BenchmarkLog is the cost of writes with a log beside that of a plain SET: the time of
// the server, which it counts itself, and the median that a client waits.
func BenchmarkLog(b *testing.B) {
	s := startRedis(b)
	o := clientOptions(s.Addr)
	client := redis.NewClient(o)
	b.Cleanup(func() { _ = client.Close() })
	plain, err := redisbackend.New(client, redisbackend.WithKeyPrefix("plain:"))
	if err != nil {
		b.Fatal(err)
	}
	logged, err := redisbackend.New(client, redisbackend.WithKeyPrefix("log:"), redisbackend.WithLog())
	if err != nil {
		b.Fatal(err)
	}
	entry := backends.Entry[[]byte]{Value: make([]byte, 100), ExpiresAt: time.Now().Add(time.Hour)}
	write := func(ctx context.Context, w *write) error {
		w.Entry = entry
		_, err := logged.Write(ctx, w)
		return err
	}
	var last backends.Version
	for _, bench := range []struct {
		name string
		do   func(ctx context.Context, key string) error
	}{
		{"SET", func(ctx context.Context, key string) error { return plain.Set(ctx, key, entry) }},
		{"log", func(ctx context.Context, key string) error { return logged.Set(ctx, key, entry) }},
		{"deadline", func(ctx context.Context, key string) error {
			return write(ctx, set("", writeOf(key, backends.Always)))
		}},
		{"conditional", func(ctx context.Context, key string) error {
			w := set("", writeOf(key, backends.NotNewer(backends.MakeVersion(last.Era(), backends.MaxSeq))))
			w.Source = 1
			return write(ctx, w)
		}},
		{"refused", func(ctx context.Context, key string) error {
			return write(ctx, set("", writeOf(key, backends.Absent())))
		}},
		{"delete", func(ctx context.Context, key string) error { return logged.Delete(ctx, key) }},
		{"set again", func(ctx context.Context, key string) error { return logged.Set(ctx, key, entry) }},
		{"get if", func(ctx context.Context, key string) error {
			_, _, err := logged.GetIf(ctx, key, last)
			return err
		}},
	} {
		b.Run(strings.ReplaceAll(bench.name, " ", "_"), func(b *testing.B) {
			last = logged.Seen(key)
			begin := serverMicros(b, s)
			var took []time.Duration
			for i := 0; b.Loop(); i++ {
				at := time.Now()
				if err := bench.do(b.Context(), key+strconv.Itoa(i%100)); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(at))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1000, "p50-µs")
			b.ReportMetric((serverMicros(b, s)-begin)/float64(b.N), "server-µs/op")
		})
	}
}

// writeOf is a write of a key with a deadline.
func writeOf(_ string, cond backends.Condition) write {
	return write{If: cond, Before: time.Now().Add(time.Minute)}
}

// serverMicros is the time that the server has worked on commands of the kinds of the benchmark.
func serverMicros(b *testing.B, s *server.Redis) (micros float64) {
	b.Helper()
	info, err := s.Admin.Info(b.Context(), "commandstats").Result()
	if err != nil {
		b.Fatal(err)
	}
	for _, command := range []string{"set", "evalsha", "get"} {
		_, rest, _ := strings.Cut(info, "cmdstat_"+command+":calls=")
		_, rest, _ = strings.Cut(rest, "usec=")
		text, _, _ := strings.Cut(rest, ",")
		n, _ := strconv.ParseFloat(text, 64)
		if command == "evalsha" || !strings.Contains(info, "cmdstat_evalsha") {
			micros += n
		}
	}
	return micros
}
