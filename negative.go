package tiercache

import (
	"sync"
	"time"
)

// maxNegatives bounds how many keys are remembered as not found.
const maxNegatives = 10_000

// negatives remembers keys for which a loader found nothing. It is apart from the
// tiers, so that no value can be mistaken for it. It is safe for concurrent use.
type negatives struct {
	ttl  time.Duration
	mu   sync.Mutex
	ends map[string]time.Time
}

// newNegatives returns nil when there is nothing to remember.
func newNegatives(ttl time.Duration) *negatives {
	if ttl == 0 {
		return nil
	}
	return &negatives{ttl: ttl, ends: make(map[string]time.Time)}
}

func (n *negatives) add(key string) {
	now := time.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.ends) >= maxNegatives {
		n.makeRoom(now)
	}
	n.ends[key] = now.Add(n.ttl)
}

// makeRoom forgets what has ended, or, if nothing has, any one key.
func (n *negatives) makeRoom(now time.Time) {
	for key, end := range n.ends {
		if !now.Before(end) {
			delete(n.ends, key)
		}
	}
	for key := range n.ends {
		if len(n.ends) < maxNegatives {
			return
		}
		delete(n.ends, key)
	}
}

func (n *negatives) has(key string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	end, ok := n.ends[key]
	return ok && time.Now().Before(end)
}

func (n *negatives) drop(key string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.ends, key)
}
