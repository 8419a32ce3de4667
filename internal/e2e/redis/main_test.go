package redis_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

// parallelTests is how many tests run at a time unless the command line says
// otherwise: more than there are processors, because nearly all that they do is
// to wait.
const parallelTests = "8"

func TestMain(m *testing.M) {
	redis.SetLogger(silence{}) // it reports every refused dial
	flag.Parse()
	if name := os.Getenv(programEnv); name != "" {
		err := runProgram(context.Background(), name, flag.Args())
		if err == nil {
			err = leaks()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
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

// leaks is patient, because go-redis's attempts to reach a server sleep for a
// second before they notice that their client is closed.
func leaks() (err error) {
	for end := time.Now().Add(patience); time.Now().Before(end); {
		err = goleak.Find(
			// When a toxic has ended a connection and more data comes, toxiproxy leaves
			// behind what would have passed it on.
			goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"),
			goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).read"),
		)
		if err == nil {
			return nil
		}
	}
	return err
}

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}
