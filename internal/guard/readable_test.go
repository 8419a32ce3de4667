package guard_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/tier"
)

const key = "user:4711"

// An error that can be read stays as it is, also a large one.
func TestReadable_Same(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"plain":     io.EOF,
		"wrapped":   fmt.Errorf("reading: %w", io.EOF),
		"joined":    errors.Join(io.EOF, io.ErrNoProgress),
		"nil in it": &list{nil, io.EOF},
		"1000 deep": deep(1000),
		"1000 wide": wide(1000),
		"a panic":   &backends.PanicError{Value: io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, same := guard.Readable(err, key)
			assert.Equal(t, err, same)
			assert.Equal(t, strings.ReplaceAll(err.Error(), "\n", "; "), text, "on one line")
		})
	}
}

// One that cannot be read is replaced by one that can, of which both errors.Is and the
// text say why.
func TestReadable_Replaced(t *testing.T) {
	t.Parallel()
	cycle := &list{nil}
	(*cycle)[0] = cycle
	doubled := io.EOF
	for range 50 {
		doubled = &list{doubled, doubled}
	}
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"a nil pointer":               {(*pointer)(nil), "an error of type *guard_test.pointer cannot be read: panic: runtime error: invalid memory address"},
		"a nil pointer, wrapped":      {fmt.Errorf("wrapped: %w", &list{(*pointer)(nil)}), ""}, // nobody reads its text
		"Error":                       {method("Error"), "cannot be read: panic (string)"},
		"Unwrap":                      {method("Unwrap"), "panic (string)"},
		"Is":                          {method("Is"), "panic (string)"},
		"As":                          {method("As"), "panic (string)"},
		"ErrorType":                   {method("ErrorType"), "panic (string)"},
		"NotApplied":                  {method("NotApplied"), "panic (string)"},
		"Outcome":                     {method("Outcome"), "panic (string)"},
		"Is, wrapped":                 {&list{io.EOF, method("Is")}, "of type *guard_test.list cannot be read: panic (string)"},
		"1,001 deep":                  {deep(1001), "it wraps too many errors, or itself"},
		"1,001 wide":                  {wide(1001), "it wraps too many errors, or itself"},
		"a cycle":                     {cycle, "it wraps too many errors, or itself"},
		"of 2^50 branches":            {doubled, "it wraps too many errors, or itself"},
		"a panic that panics":         {panicking{panicking{"!"}}, "panic (guard_test.panicking)"},
		"a panic with a bad value":    {panicking{method("Is")}, "panic (string)"},
		"a run-time error of its own": {panicking{ownRuntimeError{}}, "panic (string)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.want == "" {
				_, same := guard.Readable(test.err, key)
				assert.Same(t, test.err, same)
				return
			}
			text, same := guard.Readable(test.err, key)
			assert.Contains(t, text, test.want)
			assert.Equal(t, text, same.Error())
			assert.NotErrorIs(t, same, io.ErrNoProgress, "its tree has an end")
			assert.Equal(t, tier.Unknown, tier.OutcomeOf(same))
			assert.False(t, backends.CertainlyNotApplied(same))

			e := guard.NewError(tier.L2, "set", key, tier.Unknown, test.err)
			assert.NotEmpty(t, e.ErrorType())
			assert.Contains(t, e.Error(), "l2 set unknown: ")
			assert.NotEmpty(t, guard.WithoutKey(test.err, key).Error())
		})
	}
}

// The classifier sees no error that it could read for ever.
func TestFailed_ClassifiesReadableErrors(t *testing.T) {
	t.Parallel()
	cycle := &list{nil}
	(*cycle)[0] = cycle
	for name, test := range map[string]struct {
		err  error
		want tier.Outcome
	}{
		"certain":              {backends.NotApplied(io.EOF), tier.Failed},
		"not certain":          {io.EOF, tier.Unknown},
		"certain, cyclic":      {backends.NotApplied(cycle), tier.Unknown},
		"certain, nil pointer": {backends.NotApplied((*pointer)(nil)), tier.Unknown},
		"cyclic":               {cycle, tier.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newTier(backends.CertainlyNotApplied)
			outcome, err := g.Failed(tier.Set, key, test.err)
			assert.Equal(t, test.want, outcome)
			assert.Equal(t, test.want, tier.OutcomeOf(err))
			require.ErrorContains(t, err, "l1 set "+test.want.String()+": ")
		})
	}
	outcome, _ := newTier(func(error) bool { panic("!") }).Failed(tier.Set, key, backends.NotApplied(io.EOF))
	assert.Equal(t, tier.Unknown, outcome, "a classifier that panics is not certain")
}

// A key is taken out of a text where it stands alone, in all its forms.
func TestWithoutKey(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ key, text, want string }{
		"alone":         {key, "at user:4711", "at [key]"},
		"within a word": {key, "xuser:4711x", "x[key]x"},
		"short":         {"a", "a cat at a:b", "[key] cat at [key]:b"},
		"quoted":        {"a\nb", `at "a\nb"`, `at "[key]"`},
		"none":          {key, "refused", "refused"},
		"empty":         {"", "refused", "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := errors.New(test.text)
			got := guard.WithoutKey(err, test.key)
			assert.Equal(t, test.want, got.Error())
			assert.ErrorIs(t, got, err)
		})
	}
}

func deep(n int) error {
	err := io.EOF
	for range n - 1 {
		err = &list{err}
	}
	return err
}

func wide(n int) error {
	l := make(list, n-1)
	for i := range l {
		l[i] = io.EOF
	}
	return &l
}

// list is an error that wraps others.
type list []error

func (*list) Error() string     { return "list" }
func (l *list) Unwrap() []error { return *l }

type pointer struct{ text string }

func (p *pointer) Error() string { return p.text }

// method is an error one method of which panics.
type method string

func (m method) panicIn(name string) {
	if string(m) == name {
		panic("!")
	}
}

func (m method) Error() string         { m.panicIn("Error"); return "method" }
func (m method) Unwrap() error         { m.panicIn("Unwrap"); return nil }
func (m method) Is(error) bool         { m.panicIn("Is"); return false }
func (m method) As(any) bool           { m.panicIn("As"); return false }
func (m method) ErrorType() string     { m.panicIn("ErrorType"); return "method" }
func (m method) NotApplied() bool      { m.panicIn("NotApplied"); return false }
func (m method) Outcome() tier.Outcome { m.panicIn("Outcome"); return tier.Unknown }

type panicking struct{ value any }

func (p panicking) Error() string { panic(p.value) }

type ownRuntimeError struct{}

func (ownRuntimeError) Error() string { panic("!") }
func (ownRuntimeError) RuntimeError() {}

// store is a backend that does nothing.
type store struct{ backends.Backend[string] }

func (store) Describe() backends.Description { return backends.Description{InProcess: true} }

func newTier(certain func(error) bool) *guard.Tier[string] {
	return guard.NewTier[string](tier.L1, store{}, guard.Timeouts{}, certain)
}

// A call that panics, for lack of a backend in this case, returns an error.
func TestCatch(t *testing.T) {
	t.Parallel()
	g := newTier(backends.CertainlyNotApplied)
	_, _, getErr := g.Get(t.Context(), key)
	_, _, valueErr := g.Value(t.Context(), key)
	for name, err := range map[string]error{
		"get":    getErr,
		"value":  valueErr,
		"set":    g.Set(t.Context(), key, &backends.Entry[string]{}, nil),
		"staged": g.Set(t.Context(), key, nil, func(context.Context) error { panic(io.EOF) }),
		"delete": g.Delete(t.Context(), key),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p *backends.PanicError
			require.ErrorAs(t, err, &p)
			assert.NotEmpty(t, p.Stack)
		})
	}
}
