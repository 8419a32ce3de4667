// Package gather makes one call of the many that the members of a batch make.
//
// Each member of a batch takes the ordinary way of a single operation, in a goroutine of
// its own. Where it would call a store, it hands the call to the [Group] and waits. When
// every member waits, or has left, the group makes the calls that have come together,
// those of one class at once:
//
//	g := gather.New(func(class string, calls []*call) { ... })
//	for _, key := range keys {
//		m := g.Join()
//		go func() {
//			defer m.Leave()
//			m.Do("l1", &call{key})
//			m.Do("l2", &call{key}) // one call for all keys
//		}()
//	}
//	g.Begin()
//
// So a policy that was written for one key works on batches, and a batch takes no other
// way than its keys would take one by one.
package gather

import "sync"

// Group gathers the calls of its members. It is safe for concurrent use.
type Group[K comparable, C any] struct {
	run func(class K, calls []C)

	mu       sync.Mutex
	busy     int // members that may still make a call, and calls that are expected
	queue    []*round[K, C]
	starting int // 1 until Begin
}

// round is a call of one class, and the members that wait for it.
type round[K comparable, C any] struct {
	class   K
	calls   []C
	members []*Member[K, C]
	done    chan struct{}
}

// New returns a group without members. Run makes the calls of one class, in a goroutine
// of its own. It must not panic.
func New[K comparable, C any](run func(class K, calls []C)) *Group[K, C] {
	return &Group[K, C]{run: run, busy: 1, starting: 1}
}

// Begin says that all members have joined. No call is made before.
func (g *Group[K, C]) Begin() {
	g.mu.Lock()
	g.busy -= g.starting
	g.starting = 0
	g.flush()
}

// Member is one of those who make calls.
type Member[K comparable, C any] struct {
	group *Group[K, C]

	// Guarded by group.mu.
	waiting int  // calls that have been handed over and not been made
	away    bool // it waits for something else, or has left
	left    bool
}

// Join adds a member.
func (g *Group[K, C]) Join() *Member[K, C] {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy++
	return &Member[K, C]{group: g}
}

// Do hands over a call and returns when it was made. A member may make several at once.
func (m *Member[K, C]) Do(class K, c C) { m.do(class, c, 0) }

// Expect says that the member will call DoExpected, from another goroutine perhaps. No
// call is made before.
func (m *Member[K, C]) Expect() {
	m.group.mu.Lock()
	defer m.group.mu.Unlock()
	m.group.busy++
}

// DoExpected is Do after Expect.
func (m *Member[K, C]) DoExpected(class K, c C) { m.do(class, c, 1) }

// Unexpect takes an Expect back.
func (m *Member[K, C]) Unexpect() {
	m.group.mu.Lock()
	m.group.busy--
	m.group.flush()
}

func (m *Member[K, C]) do(class K, c C, expected int) {
	g := m.group
	g.mu.Lock()
	g.busy -= expected
	if m.waiting == 0 && !m.away {
		g.busy--
	}
	m.waiting++
	r := g.roundOf(class)
	r.calls, r.members = append(r.calls, c), append(r.members, m)
	g.flush()
	<-r.done
}

// Pause says that the member waits for something else than its calls, so that the others
// do not wait for it.
func (m *Member[K, C]) Pause() { m.setAway(true) }

// Resume ends a Pause. It does nothing if the member has left.
func (m *Member[K, C]) Resume() { m.setAway(false) }

// Leave says that the member makes no more calls of its own. Those that it has handed over
// are made.
func (m *Member[K, C]) Leave() {
	m.group.mu.Lock()
	m.left = true
	m.group.mu.Unlock()
	m.setAway(true)
}

func (m *Member[K, C]) setAway(away bool) {
	g := m.group
	g.mu.Lock()
	away = away || m.left
	if m.away != away && m.waiting == 0 {
		if away {
			g.busy--
		} else {
			g.busy++
		}
	}
	m.away = away
	g.flush()
}

// roundOf returns the round that the next call of a class belongs to.
func (g *Group[K, C]) roundOf(class K) *round[K, C] {
	for _, r := range g.queue {
		if r.class == class {
			return r
		}
	}
	r := &round[K, C]{class: class, done: make(chan struct{})}
	g.queue = append(g.queue, r)
	return r
}

// flush makes the calls if everybody waits. It is called with the mutex, which it unlocks.
func (g *Group[K, C]) flush() {
	var ready []*round[K, C]
	if g.busy == 0 {
		ready, g.queue = g.queue, nil
	}
	g.mu.Unlock()
	for _, r := range ready {
		go g.make(r)
	}
}

func (g *Group[K, C]) make(r *round[K, C]) {
	defer func() {
		g.mu.Lock()
		for _, m := range r.members {
			m.waiting--
			if m.waiting == 0 && !m.away {
				g.busy++ // before it goes on, so that the others wait for it
			}
		}
		close(r.done)
		g.flush() // calls that came while this one was made, of members that are away now
	}()
	g.run(r.class, r.calls)
}
