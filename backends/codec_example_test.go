package backends_test

import (
	"context"
	"fmt"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
)

// An unexported field is not stored, which encoding/json does not report.
func ExampleWithVerify() {
	type User struct {
		Name string
		age  int
	}
	codec := backends.WithVerify(backends.JSON[User](), 100, nil) // one in a hundred
	users, err := backends.WithCodec(backendtest.NewMap[[]byte](), codec)
	if err != nil {
		fmt.Println(err)
		return
	}
	err = users.Set(context.Background(), "ada", backends.Entry[User]{Value: User{Name: "Ada", age: 36}})
	fmt.Println(err)
	// Output: backends: the value cannot be encoded: the decoded value is not equal to the written one
}
