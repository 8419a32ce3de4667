package service_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// storedUnder is the key of a user in Redis.
func storedUnder(id string) string { return "users:v2:{0/1}:" + id }

// versionOf returns the version that the database has given to what is answered.
func versionOf(t *testing.T, a answer) int {
	t.Helper()
	version, err := strconv.Atoi(strings.Trim(a.header.Get("ETag"), `"`))
	require.NoError(t, err)
	return version
}

// TestConcurrentPuts has requests write one user at once, again and again. Afterwards L1
// and Redis have what the database has: the state of the greatest version.
func TestConcurrentPuts(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	users := startService(t, settings{redis: server, args: []string{"-database-delay", "5ms"}})
	const rounds, requests = 20, 8
	for round := range rounds {
		id := "user-" + strconv.Itoa(round)
		versions := make([]int, requests)
		var wg sync.WaitGroup
		for i := range requests {
			wg.Go(func() { versions[i] = versionOf(t, users.put(t, id, strconv.Itoa(i))) })
		}
		wg.Wait()
		newest := 0
		for i := range versions {
			if versions[i] > versions[newest] {
				newest = i
			}
		}
		a := users.request(t, http.MethodGet, id, "", http.StatusOK)
		require.Equal(t, versions[newest], versionOf(t, a), "L1, round %d", round)
		require.Contains(t, a.body, fmt.Sprintf(`"name":"%d"`, newest))
		stored, err := server.Admin.Get(t.Context(), storedUnder(id)).Result()
		require.NoError(t, err)
		require.Contains(t, stored, fmt.Sprintf(`"version":%d`, versions[newest]), "Redis, round %d", round)
	}
}

// TestClientGivesUp has clients give up after 25 ms, when the database has just committed
// their write, or is about to. The cache has what the database has: each commit has the
// next version, so that of another user tells whether it was committed.
func TestClientGivesUp(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	users := startService(t, settings{redis: server, args: []string{"-database-delay", "20ms"}})
	committed := 0
	for round := range 30 {
		id := "user-" + strconv.Itoa(round)
		before := versionOf(t, users.put(t, id, "v1"))
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Millisecond)
		_, _ = call(ctx, http.MethodPut, users.user(id), `{"name":"v2"}`)
		cancel()
		after := versionOf(t, users.put(t, "another", "Ada")) // behind the other in time, or before its commit
		want := "v1"
		if after == before+2 {
			want = "v2"
			committed++
		}
		eventually(t, func() error { return holds(t.Context(), users, server.Admin, id, want) })
	}
	t.Logf("%d of 30 were committed", committed)
	assert.NotZero(t, committed)
}

// holds returns an error unless L1 and Redis have the name.
func holds(ctx context.Context, users *instance, redis *redis.Client, id, name string) error {
	a, err := call(ctx, http.MethodGet, users.user(id), "")
	if err != nil {
		return err
	}
	stored, err := redis.Get(ctx, storedUnder(id)).Result()
	if err != nil {
		return err
	}
	for _, has := range []string{a.body, stored} {
		if !strings.Contains(has, fmt.Sprintf(`"name":%q`, name)) {
			return fmt.Errorf("%s has the name %s; the reader gets %s and Redis has %s", id, name, a.body, stored)
		}
	}
	return nil
}
