package badgerbackend

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/dgraph-io/badger/v4"
)

// badgerLogger passes badger's messages on. Badger is never given a nil logger,
// because not all of its code expects one.
type badgerLogger struct{ logger *slog.Logger }

var _ badger.Logger = badgerLogger{}

func (l badgerLogger) Errorf(format string, args ...any)   { l.log(slog.LevelError, format, args) }
func (l badgerLogger) Warningf(format string, args ...any) { l.log(slog.LevelWarn, format, args) }
func (l badgerLogger) Infof(format string, args ...any)    { l.log(slog.LevelInfo, format, args) }
func (l badgerLogger) Debugf(format string, args ...any)   { l.log(slog.LevelDebug, format, args) }

func (l badgerLogger) log(level slog.Level, format string, args []any) {
	ctx := context.Background()
	if !l.logger.Enabled(ctx, level) {
		return
	}
	message := strings.TrimSpace(fmt.Sprintf(format, args...))
	if message != "" {
		l.logger.Log(ctx, level, "badger: "+message)
	}
}
