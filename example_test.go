package tiercache_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// User is the type of the cached values.
type User struct{ Name string }

// The tiers of these examples are maps, so that they run anywhere. A service
// would use the modules otterbackend and badgerbackend, or backends of its own.
func ExampleNew() {
	ctx := context.Background()
	l1 := backendtest.NewMap[User]()
	l2, err := backends.WithCodec(backendtest.NewMap[[]byte](), backends.JSON[User]())
	if err != nil {
		fmt.Println(err)
		return
	}

	users, err := tiercache.New("users", l1, l2)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = users.Close(ctx) }()

	if err := users.Set(ctx, "42", User{Name: "Ada"}, time.Hour); err != nil {
		fmt.Println(err)
	}
	user, ok, err := users.Get(ctx, "42")
	fmt.Println(user.Name, ok, err)
	// Output: Ada true <nil>
}

// L1 has the new value, L2 refused it: that is an error, and it says so.
func ExampleCache_Set() {
	ctx := context.Background()
	l1 := backendtest.NewMap[User]()
	l2 := backendtest.WithFaults(backendtest.NewMap[User]())
	users, _ := tiercache.New("users", l1, l2)

	l2.Next(tier.Set, backendtest.FailBefore(errors.New("out of memory")))
	err := users.Set(ctx, "42", User{Name: "Ada"}, time.Hour)

	fmt.Println("inconsistent:", errors.Is(err, tiercache.ErrInconsistent))
	if e, ok := errors.AsType[*tier.WriteError](err); ok {
		fmt.Println("l1:", e.L1.Outcome)
		fmt.Println("l2:", e.L2.Outcome)
	}
	fmt.Println(err)
	// Output:
	// inconsistent: true
	// l1: applied
	// l2: failed
	// tiercache: set (sequential): l1 applied; l2 set failed: out of memory; the tiers may differ: l2 may be stale
}

func ExampleCache_Delete() {
	ctx := context.Background()
	l1 := backendtest.NewMap[User]()
	l2 := backendtest.WithFaults(backendtest.NewMap[User]())
	users, _ := tiercache.New("users", l1, l2)
	_ = users.Set(ctx, "42", User{Name: "Ada"}, 0)

	l2.Next(tier.Delete, backendtest.Lose(errors.New("connection reset")))
	fmt.Println(users.Delete(ctx, "42"))
	// Output:
	// tiercache: delete (sequential): l1 applied; l2 delete unknown: connection reset; the tiers may differ: l2 may still have the entry
}

// The hook learns of every inconsistency, also of one that the policy tolerates.
// It may write the key again.
func ExampleWithInconsistencyHook() {
	ctx := context.Background()
	l1 := backendtest.NewMap[User]()
	l2 := backendtest.WithFaults(backendtest.NewMap[User]())
	users, _ := tiercache.New("users", l1, l2,
		tiercache.WithWritePolicy(writepolicy.OptimisticParallel()),
		tiercache.WithInconsistencyHook(func(_ context.Context, i tiercache.Inconsistency) {
			fmt.Println("key", i.Key, "-", i)
		}))

	l2.Next(tier.Set, backendtest.FailBefore(errors.New("out of memory")))
	fmt.Println("Set returned", users.Set(ctx, "42", User{Name: "Ada"}, time.Hour))
	// Output:
	// key 42 - set users: l1 applied, l2 failed: the tiers may differ: l2 may be stale
	// Set returned <nil>
}

// Spans go to standard output. They are JSON, of which this example shows names,
// outcomes and events.
func ExampleWithTelemetry() {
	var out bytes.Buffer
	exporter, err := stdouttrace.New(stdouttrace.WithWriter(&out))
	if err != nil {
		fmt.Println(err)
		return
	}
	tp := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))

	ctx := context.Background()
	l1 := backendtest.NewMap[User]()
	l2 := backendtest.WithFaults(backendtest.NewMap[User]())
	users, _ := tiercache.New("users", l1, l2, tiercache.WithTelemetry(tracing.WithTracerProvider(tp)))
	l2.Next(tier.Set, backendtest.FailBefore(errors.New("out of memory")))
	_ = users.Set(ctx, "42", User{Name: "Ada"}, time.Hour)
	_ = users.Close(ctx)
	_ = tp.Shutdown(ctx)

	for spans := json.NewDecoder(&out); spans.More(); {
		var span struct {
			Name       string
			Status     struct{ Code string }
			Attributes []struct {
				Key   string
				Value struct{ Value any }
			}
			Events []struct{ Name string }
		}
		if err := spans.Decode(&span); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s [%s]\n", span.Name, span.Status.Code)
		for _, a := range span.Attributes {
			if a.Key == string(tracing.AttrOutcome) || a.Key == string(tracing.AttrConsistent) {
				fmt.Printf("  %s=%v\n", a.Key, a.Value.Value)
			}
		}
		for _, e := range span.Events {
			fmt.Println("  event", e.Name)
		}
	}
	// Output:
	// set users l1 [Unset]
	//   tiercache.outcome=applied
	// set users l2 [Error]
	//   tiercache.outcome=failed
	// set users [Error]
	//   tiercache.consistent=false
	//   event tiercache.inconsistency
}
