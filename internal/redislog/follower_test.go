package redislog

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/backends"
)

func followerAt7() follower {
	return followFrom(joined{place: parsePlace("500 token nonce"), last: streamID{500, 7}})
}

func beatAt(seq uint64) beat {
	return beat{token: "token", master: true, place: "500 token nonce", head: streamID{500, seq}}
}

func TestFollower_Beats(t *testing.T) {
	t.Parallel()
	sent := time.Now()
	at := func(change func(b *beat)) beat {
		b := beatAt(7)
		change(&b)
		return b
	}
	for name, test := range map[string]struct {
		beat beat
		seen backends.Version
		want finding
	}{
		"nothing new":          {beatAt(7), backends.MakeVersion(500, 7), finding{synced: sent}},
		"nothing seen":         {beatAt(7), 0, finding{synced: sent}},
		"more to read":         {beatAt(8), 0, finding{}},
		"another server":       {at(func(b *beat) { b.token = "other" }), 0, loss(backends.LossServerChanged)},
		"another log":          {at(func(b *beat) { b.place = "500 token other" }), 0, loss(backends.LossLogReplaced)},
		"no place":             {at(func(b *beat) { b.place = "" }), 0, loss(backends.LossLogReplaced)},
		"no messages":          {at(func(b *beat) { b.head = streamID{} }), 0, loss(backends.LossLogReplaced)},
		"another era":          {at(func(b *beat) { b.head.era++ }), 0, loss(backends.LossLogReplaced)},
		"behind the position":  {beatAt(6), 0, loss(backends.LossBehind)},
		"behind what was seen": {beatAt(7), backends.MakeVersion(500, 8), loss(backends.LossBehind)},
		"behind a later era":   {beatAt(7), backends.MakeVersion(501, 0), loss(backends.LossBehind)},
		"an earlier era seen":  {beatAt(7), backends.MakeVersion(499, 99), finding{synced: sent}},
		// The server first: the rest follows from it.
		"all at once": {beat{token: "other"}, backends.MakeVersion(600, 0), loss(backends.LossServerChanged)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := followerAt7()
			assert.Equal(t, test.want, f.onBeat(sent, test.seen, test.beat))
		})
	}
}

func messagesAt(seqs ...uint64) (m []Message) {
	for _, seq := range seqs {
		m = append(m, Message{id: streamID{500, seq}, kind: messageSet})
	}
	return m
}

func TestFollower_Messages(t *testing.T) {
	t.Parallel()
	otherEra := messagesAt(8, 9)
	otherEra[1].id.era = 501
	for name, test := range map[string]struct {
		messages   []Message
		catchingUp bool
		tell       int
		want       finding
	}{
		"none":                     {nil, false, 0, finding{}},
		"the next":                 {messagesAt(8), false, 1, finding{}},
		"several":                  {messagesAt(8, 9, 10), false, 3, finding{}},
		"a hole":                   {messagesAt(9), false, 0, loss(backends.LossTrimmed)},
		"a hole behind some":       {messagesAt(8, 9, 11), false, 2, loss(backends.LossTrimmed)},
		"a hole after an outage":   {messagesAt(9), true, 0, loss(backends.LossDisconnected)},
		"the same again":           {messagesAt(7), false, 0, loss(backends.LossTrimmed)},
		"another era":              {otherEra, false, 1, loss(backends.LossLogReplaced)},
		"what is no message of us": {[]Message{{}}, false, 0, loss(backends.LossLogReplaced)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := followerAt7()
			if test.catchingUp {
				f.onDisconnect()
			}
			tell, found := f.onMessages(test.messages)
			assert.Equal(t, test.tell, tell)
			assert.Equal(t, test.want, found)
		})
	}
}

// It is in sync as of a heartbeat once it has seen all that there was then, and no later.
func TestFollower_CatchesUp(t *testing.T) {
	t.Parallel()
	first, second := time.Now(), time.Now().Add(time.Second)
	f := followerAt7()
	f.onDisconnect()
	assert.Zero(t, f.onBeat(first, 0, beatAt(10)))
	_, found := f.onMessages(messagesAt(8, 9))
	assert.Zero(t, found)
	assert.Zero(t, f.onBeat(second, 0, beatAt(20)), "the first one is not reached")
	_, found = f.onMessages(messagesAt(10, 11))
	assert.Equal(t, finding{synced: first}, found)
	_, found = f.onMessages(messagesAt(12, 14))
	assert.Equal(t, loss(backends.LossTrimmed), found, "the connection was there")

	f = followerAt7()
	f.onBeat(first, 0, beatAt(10))
	f.onDisconnect()
	_, found = f.onMessages(messagesAt(8, 9, 10))
	assert.Zero(t, found, "a heartbeat of another connection proves nothing")
}

func TestRest(t *testing.T) {
	t.Parallel()
	var r rest
	now := time.Now()
	after := func(passed time.Duration, n int) time.Duration {
		now = now.Add(passed)
		return r.after(now, n)
	}
	assert.Zero(t, after(0, 1), "the first")
	assert.Zero(t, after(time.Second, 1), "an idle log")
	assert.Equal(t, minRest, after(time.Millisecond, 1))
	assert.Equal(t, 2*minRest, after(time.Millisecond, 1))
	assert.Zero(t, after(time.Millisecond, 0), "nothing was read")
	for range 10 {
		after(2*time.Millisecond, 1)
	}
	assert.Equal(t, someRest, after(2*time.Millisecond, 1))
	for range 10 {
		after(2*time.Millisecond, many)
	}
	assert.Equal(t, maxRest, after(10*time.Millisecond, many))
	assert.Zero(t, after(10*time.Millisecond, ReadCount), "there are more")
	assert.Zero(t, after(time.Second, 1), "idle again")
}
