package repair

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

// patience is for what must happen at some time.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	redis.SetLogger(silence{}) // it reports every refused dial
	code := m.Run()
	if err := leaks(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// leaks is patient, because go-redis's attempts to reach a server sleep for a second
// before they notice that their client is closed.
func leaks() (err error) {
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if err = goleak.Find(); err == nil {
			return nil
		}
	}
	return err
}

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}
