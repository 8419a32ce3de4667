package main

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// The hash is the one that openssl computes from the same secret, as the runbook has it.
func TestHashedKey(t *testing.T) {
	t.Parallel()
	hash := hashedKey("s3cret")
	assert.Equal(t, "982005f6c4662ae0", hash("42"))
	assert.NotEqual(t, hash("42"), hash("43"))
	assert.NotEqual(t, hash("42"), hashedKey("other")("42"))
	random, another := hashedKey(""), hashedKey("")
	assert.NotEqual(t, random("42"), another("42"))
}

// The log record and the spans of a diverged write have the same hash.
func TestHashedKey_IsShown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *options) { o.keySecret = "s3cret" })
		f.l2.Next(tier.Set, backendtest.Lose(errors.New("connection lost")))
		f.do(t, "PUT", "/users/42", `{"name":"Ada"}`)
		want := hashedKey("s3cret")("42")
		wrote := spansNamed(f, "set users")[0]
		assert.Contains(t, wrote.Attributes, tracing.AttrKey.String(want))
		event := f.logs.must(t, "set users: l1 skipped, l2 unknown: the tiers may differ: l1 may be stale")
		assert.Equal(t, want, event[string(tracing.AttrKey)])
		assert.Equal(t, "01", event["trace_flags"])
	})
}
