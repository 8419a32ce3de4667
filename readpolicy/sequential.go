package readpolicy

import (
	"context"
	"errors"

	"github.com/tiercache/tiercache/internal/builtin"
)

// Sequential asks L1, and then L2 when L1 has no value or fails. It is the
// default, and the only policy under which a hit in L1 costs no call of L2. It
// is safe for concurrent use.
func Sequential() Policy { return sequential{} }

type sequential struct{ builtin.L1First }

func (sequential) Name() string { return "sequential" }

func (sequential) Read(ctx context.Context, l1, l2 Tier) (choice Choice, err error) {
	a1, err1 := l1.Read(ctx)
	if err1 == nil && a1.Hit {
		return L1, nil
	}
	a2, err2 := l2.Read(ctx)
	if err2 == nil && a2.Hit {
		return L2, nil
	}
	return None, errors.Join(err1, err2)
}
