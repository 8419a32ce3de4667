package writepolicy

import "github.com/tiercache/tiercache/tier"

// Op is one write of one key. More fields may be added.
type Op struct {
	Kind tier.Kind // tier.Set or tier.Delete
	Key  string
}
