package tiercachedebug_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tiercachedebug"
)

func ExampleNew() {
	debug := tiercachedebug.New()
	users, err := tiercache.New("users", backendtest.NewMap[string](), backendtest.NewMap[string](),
		tiercache.WithInconsistencyHook(debug.Record))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = users.Close(context.Background()) }()
	if err := debug.Add(users); err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/debug/tiercache", debug)

	_ = users.Set(context.Background(), "42", "Ada", time.Hour)
	_, _, _ = users.Get(context.Background(), "42")

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/debug/tiercache?format=json", http.NoBody))
	fmt.Println(w.Code, w.Header().Get("Content-Type"), users.Stats().L1.Hits)
	// Output: 200 application/json 1
}
