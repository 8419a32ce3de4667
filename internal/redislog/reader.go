package redislog

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/tiercache/tiercache/backends"
)

const (
	heartbeat   = 250 * time.Millisecond
	callTimeout = 500 * time.Millisecond // of a heartbeat, and of a read beyond its block
	answerPause = time.Second            // between answers to hellos of another protocol

	minRetryPause = 10 * time.Millisecond // between connections
	maxRetryPause = 200 * time.Millisecond
)

// teller is told of the findings of a reader.
type teller interface {
	changed(changes []backends.Change)
	synced(part int, asOf time.Time)
	lost(part int, cause backends.Loss)
}

// reader follows the log of one partition, from one goroutine.
type reader struct {
	number  int
	seen    func() backends.Version
	see     func(v backends.Version)
	connect func(ctx context.Context) (conn logConn, release func(), err error)
	tell    teller
	failed  func(ctx context.Context) // called when a connection has failed
	forGood func(err error) bool      // reports whether an error of the client is for good

	follower follower
	joined   bool
	loss     finding // found, but not told: a new position comes first
	foreign  bool    // a writer of other rules was seen
	answered time.Time
	rest     rest
	changes  []backends.Change
	good     bool // the connection has answered
}

// run follows the log until ctx ends, or an error says that it cannot be followed.
func (r *reader) run(ctx context.Context) error {
	for pause := minRetryPause; ctx.Err() == nil; pause = min(2*pause, maxRetryPause) {
		err := r.session(ctx)
		if ctx.Err() == nil && r.cannotFollow(err) {
			return err
		}
		r.failed(ctx)
		if r.good {
			pause = minRetryPause
		}
		sleep(ctx, pause/2+rand.N(pause)) //nolint:gosec // it guards nothing
	}
	return nil
}

// cannotFollow reports whether an error is for good.
func (r *reader) cannotFollow(err error) bool {
	return errors.Is(err, ErrNoIdentity) || errors.Is(err, ErrLastEra) || r.forGood(err)
}

// session follows the log over one connection, until that fails.
func (r *reader) session(ctx context.Context) error {
	r.good = false
	call, cancel := context.WithTimeout(ctx, callTimeout)
	conn, release, err := r.connect(call)
	cancel()
	if err != nil {
		return err
	}
	defer release()
	if r.joined {
		r.follower.onDisconnect()
	}
	var next time.Time // heartbeat
	for err == nil && ctx.Err() == nil {
		now := time.Now()
		switch {
		case !r.joined:
			err, next = r.join(ctx, conn), now
		case !now.Before(next): // it may find a loss
			err, next = r.beat(ctx, conn), now.Add(heartbeat)
		default:
			err = r.read(ctx, conn, next.Sub(now))
		}
	}
	return err
}

// join takes a position in the log. A loss is told only now: from here on all changes are
// seen, so everything that is read after the loss was told is covered.
func (r *reader) join(ctx context.Context, conn logConn) error {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	j, err := conn.join(call, string(messageHello)+protocol)
	if err != nil {
		return err
	}
	r.follower, r.joined = followFrom(j), true
	if r.loss.lost {
		r.tell.lost(r.number, r.loss.cause)
		r.loss = finding{}
	}
	return nil
}

func (r *reader) beat(ctx context.Context, conn logConn) error {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	seen := r.seen() // before the heartbeat is sent: its head must not be behind it
	sent := time.Now()
	b, err := conn.beat(call)
	switch {
	case err != nil:
		return err
	case !b.master:
		return ErrNotMaster
	}
	r.good = true
	r.conclude(r.follower.onBeat(sent, seen, b))
	return nil
}

func (r *reader) read(ctx context.Context, conn logConn, block time.Duration) error {
	call, cancel := context.WithTimeout(ctx, block+callTimeout)
	messages, err := conn.read(call, r.follower.last, block)
	cancel()
	if err != nil {
		return err
	}
	tell, found := r.follower.onMessages(messages)
	foreign := r.take(messages[:tell])
	r.conclude(found)
	if foreign {
		if err := r.answer(ctx, conn); err != nil {
			return err
		}
	}
	sleep(ctx, r.rest.after(time.Now(), len(messages)))
	return nil
}

// take tells of messages that are in order, and reports whether there is a hello of
// another protocol among them, which wants an answer.
func (r *reader) take(messages []Message) (answer bool) {
	changes := r.changes[:0]
	foreign := false
	for i := range messages {
		m := &messages[i]
		if m.isForeign() {
			foreign = true
			answer = answer || m.kind == messageHello
		}
		if m.isChange() {
			changes = append(changes, m.change)
		}
	}
	if len(messages) > 0 {
		r.see(r.follower.last.version())
	}
	if len(changes) > 0 {
		r.tell.changed(changes)
		clear(changes)
	}
	r.changes = changes
	if foreign && !r.foreign {
		r.foreign = true
		r.tell.lost(r.number, backends.LossProtocol)
	}
	return answer
}

// conclude tells of a finding. After a loss the position must be taken anew first.
func (r *reader) conclude(f finding) {
	switch {
	case f.lost:
		r.loss, r.joined = f, false
	case !f.synced.IsZero() && !r.foreign:
		r.tell.synced(r.number, f.synced)
	}
}

// answer lets a reader of another protocol, which has just joined, know of this one.
func (r *reader) answer(ctx context.Context, conn logConn) error {
	now := time.Now()
	if !r.answered.IsZero() && now.Sub(r.answered) < answerPause {
		return nil
	}
	r.answered = now
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := conn.join(call, string(messageAnswer)+protocol)
	return err
}

// sleep returns early when ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
