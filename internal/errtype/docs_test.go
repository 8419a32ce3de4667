package errtype_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/errtype"
	"github.com/tiercache/tiercache/tier"
)

var update = flag.Bool("update", false, "write docs/error-types.md anew")

const docs = "../../docs/error-types.md"

const introduction = `<!-- Generated from internal/errtype: go test ./internal/errtype -update -->

# Values of error.type

Spans, metrics and log records of operations that failed have the attribute ` + "`error.type`" + `. Its value
is an identifier, never a part of an error's text: at most 64 bytes of ASCII letters, digits and
` + "`_ . * / -`" + `.

The value is found by the first of these rules that gives one:

1. An error can name itself by a method ` + "`ErrorType() string`" + `, and those of the table have a name. An
   outer error comes before those that it wraps. An invalid name becomes ` + "`_OTHER`" + `.
2. An error whose method ` + "`Timeout`" + ` reports true is a ` + "`timeout`" + `.
3. The Go type of the outermost error that has a type of its own, for instance ` + "`*mypkg.Error`" + `. Types that
   only carry text (` + "`errors.New`" + `, ` + "`fmt.Errorf`" + `) and unexported wrappers have none; ` + "`*url.Error`" + `, ` + "`*net.OpError`" + `
   and the like count only if nothing inside has a name.
4. ` + "`_OTHER`" + `.

Of joined errors the first that has a name counts, but a cancellation gives way to a deadline that was
joined after it. At most 256 errors of a tree are looked at.

To name an error of your own, give its type a method:

` + "```go" + `
func (e *QuotaError) ErrorType() string { return "quota" }
` + "```" + `

Return one of a few constants. Each value is a series of its own in every metric that has the attribute,
so a value must not contain an ID, a key, an address, or a number that varies. Adapters do the same, and
list their values in their documentation.

On Windows, error numbers of the system and of its sockets have the names of their counterparts below.

`

// own are the errors of this module that are in no table.
var own = []struct {
	err           error
	meaning, from string
}{
	{tier.ErrConflict, "an `Update` or `SetIfAbsent` lost against other writers, or an `Update` has an older version of its source", "tier.ErrConflict"},
	{tier.ErrDiverged, "the tiers may differ since an earlier write, and the key could not be repaired", "tier.ErrDiverged"},
	{tier.ErrOutdated, "a read with `AtLeast` found only an older version", "tier.ErrOutdated"},
	{tier.ErrOverloaded, "the limit of `WithMaxLoads` is reached", "tier.ErrOverloaded"},
	{tier.ErrSuperseded, "the tier holds something newer than the write", "tier.ErrSuperseded"},
	{tier.ErrUnsupported, "a tier cannot do this: it issues no versions, for instance", "tier.ErrUnsupported"},
	{&backends.TooLargeError{}, "the key or the value is too large for the store", "*backends.TooLargeError"},
	{&backends.DamagedError{}, "the store has bytes that are no entry", "*backends.DamagedError"},
}

func TestDocs_ListWhatTheTablesHave(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(introduction)
	b.WriteString("| Value | Meaning | From |\n|-|-|-|\n")
	for _, entry := range errtype.Table() {
		from := strings.Join(entry.From, "`, `")
		if from != "" {
			from = "`" + from + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", entry.Name, entry.Meaning, from)
	}
	b.WriteString("\nErrors of the cache and its backends that name themselves:\n\n| Value | Meaning | From |\n|-|-|-|\n")
	for _, own := range own {
		fmt.Fprintf(&b, "| `%s` | %s | `%s` |\n", errtype.Of(own.err), own.meaning, own.from)
	}
	if *update {
		require.NoError(t, os.WriteFile(docs, []byte(b.String()), 0o600))
	}
	got, err := os.ReadFile(docs)
	require.NoError(t, err)
	assert.Equal(t, b.String(), string(got), "go test ./internal/errtype -update writes it anew")
}

func TestTable_ExplainsEveryNameOnce(t *testing.T) {
	t.Parallel()
	var names []string
	for _, entry := range errtype.Table() {
		assert.True(t, errtype.Valid(entry.Name), entry.Name)
		assert.NotContains(t, names, entry.Name)
		assert.NotEmpty(t, entry.Meaning, entry.Name)
		assert.True(t, len(entry.From) > 0 || entry.Name == errtype.Other || entry.Name == "os_error", "%s comes from nothing", entry.Name)
		names = append(names, entry.Name)
	}
	used := errtype.UsedNames()
	slices.Sort(used)
	for _, name := range slices.Compact(used) {
		assert.Contains(t, names, name, "a name without a meaning")
	}
}
