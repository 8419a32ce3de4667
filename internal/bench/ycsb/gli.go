package ycsb

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/dgraph-io/ristretto/v2/sim"
)

// gliModule ships the trace gli, in the folder of its package sim. It was made for the
// paper on the replacement policy LIRS: a program asks for blocks in loops of several
// lengths. The version is that of go.mod.
const gliModule = "github.com/dgraph-io/ristretto/v2@v2.4.2"

// addGli adds reads in the order of the trace, which begins anew at its end. Each of its
// blocks is one of the records.
func (t *trace) addGli(ctx context.Context, operations int) error {
	blocks, err := gli(ctx)
	if err != nil {
		return fmt.Errorf("trace gli: %w", err)
	}
	index := make(map[uint64]int32)
	for i := range operations {
		block := blocks[i%len(blocks)]
		key, ok := index[block]
		if !ok {
			key = int32(len(index) % t.records) //nolint:gosec // few
			index[block] = key
		}
		t.ops = append(t.ops, operation{kind: read, key: key, after: none})
	}
	return nil
}

// gli reads the trace from the module cache.
func gli(ctx context.Context) (blocks []uint64, err error) {
	dir, err := moduleDir(ctx, gliModule)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(filepath.Join(dir, "sim", "gli.lirs.gz"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was read
	text, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	next := sim.NewReader(sim.ParseLIRS, text)
	for {
		block, err := next()
		switch {
		case errors.Is(err, sim.ErrDone):
			return blocks, nil
		case err != nil:
			return nil, err
		}
		blocks = append(blocks, block)
	}
}

// moduleDir returns where the module cache has the files of a module.
func moduleDir(ctx context.Context, module string) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "mod", "download", "-json", module).Output()
	if err != nil {
		return "", fmt.Errorf("go mod download %s: %w", module, err)
	}
	var downloaded struct{ Dir string }
	if err := json.Unmarshal(out, &downloaded); err != nil {
		return "", err
	}
	return downloaded.Dir, nil
}
