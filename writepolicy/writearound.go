package writepolicy

import (
	"context"

	"github.com/tiercache/tiercache/internal/builtin"
)

// WriteAround writes L2 and then drops the copy in L1, so that the next read refills
// it. It returns nil when L2 applied the write and L1 has no copy any more. When L2
// certainly did not apply it, L1 is unchanged; when L2 may have, the copy in L1 is
// dropped too. It is safe for concurrent use.
func WriteAround() Policy { return writeAround{} }

type writeAround struct{ builtin.Mark }

func (writeAround) Name() string { return "write_around" }

func (writeAround) OnL1() builtin.Effect { return builtin.Drops }

func (writeAround) Write(ctx context.Context, _ Op, l1, l2 Tier) error {
	if err := l2.Write(ctx); err != nil {
		return dropIfUnknown(ctx, err, l1)
	}
	return l1.Drop(ctx)
}
