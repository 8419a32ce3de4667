package coherence

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

// instanceVariable has the setup of an instance: the test program then is one, and runs
// no tests.
const instanceVariable = "TIERCACHE_CHAOS_INSTANCE"

// parallelTests is how many tests run at a time unless the command line says otherwise:
// more than there are processors, because most of what they do is to wait.
const parallelTests = "4"

// patience is for what must happen at some time.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	redis.SetLogger(silence{}) // it reports every refused dial
	if text := os.Getenv(instanceVariable); text != "" {
		if err := runProcess(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", parallelTests); err != nil {
			os.Exit(2)
		}
	}
	code := m.Run()
	if err := leaks(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runProcess(text string) error {
	var s setup
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	b, err := openBoard(s.Board, s.Writes)
	if err != nil {
		return err
	}
	return s.run(context.Background(), b)
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
