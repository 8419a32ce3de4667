package badgerbackend

import (
	"errors"
	"log/slog"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// discardRatio is the share of garbage from which on a file of the value log is
// rewritten. Badger's documentation advises it: a byte is then written twice on
// average.
const discardRatio = 0.5

// collector runs the garbage collection of the value log, which badger does not run
// itself, until it is closed.
type collector struct {
	db     *badger.DB
	space  *space
	logger *slog.Logger
	stop   chan struct{}
	done   chan struct{}
}

func startCollector(db *badger.DB, space *space, interval time.Duration, logger *slog.Logger) *collector {
	c := &collector{db: db, space: space, logger: logger, stop: make(chan struct{}), done: make(chan struct{})}
	go c.run(interval)
	return c
}

// close waits until the file that is being rewritten, if any, is done.
func (c *collector) close() {
	close(c.stop)
	<-c.done
}

func (c *collector) run(interval time.Duration) {
	defer close(c.done)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-ticker.C:
			c.collect()
		}
	}
}

// collect rewrites one file after the other, until there is none that is worth it. The
// used part of a file is written again before the file is removed, so the disk must
// have room for it.
func (c *collector) collect() {
	for {
		select {
		case <-c.stop:
			return
		default:
		}
		err := c.space.check("garbage collection", int(c.db.Opts().ValueLogFileSize))
		if err == nil {
			err = c.db.RunValueLogGC(discardRatio)
		}
		switch {
		case err == nil:
		case errors.Is(err, badger.ErrNoRewrite):
			return
		default:
			c.logger.Warn("badgerbackend: the garbage collection of the value log failed", slog.Any("error", err))
			return
		}
	}
}
