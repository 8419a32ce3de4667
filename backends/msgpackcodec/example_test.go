package msgpackcodec_test

import (
	"context"
	"fmt"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/msgpackcodec"
)

func ExampleNew() {
	type User struct {
		Name string `msgpack:"name"`
		Age  int    `msgpack:"age"`
	}
	store := backendtest.NewMap[[]byte]() // Redis, for instance
	users, err := backends.WithCodec(store, msgpackcodec.New[User]())
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	if err := users.Set(ctx, "1", backends.Entry[User]{Value: User{Name: "Ada", Age: 36}}); err != nil {
		fmt.Println(err)
		return
	}
	entry, _, err := users.Get(ctx, "1")
	raw, _, _ := store.Get(ctx, "1")
	fmt.Println(entry.Value, err)
	fmt.Printf("%q\n", raw.Value)
	// Output:
	// {Ada 36} <nil>
	// "\x82\xa4name\xa3Ada\xa3age$"
}
