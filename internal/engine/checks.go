package engine

import (
	"fmt"
	"reflect"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/builtin"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// panickedInNew explains a panic of foreign code that New has called: most often it is that
// of a nil pointer, whose constructor has failed.
func panickedInNew(p *backends.PanicError, l1, l2 any) error {
	for i, t := range []any{l1, l2} {
		if v := reflect.ValueOf(t); v.Kind() == reflect.Pointer && v.IsNil() {
			return fmt.Errorf("%w: l%d is a nil %T: pass one that its constructor has returned without an error", tier.ErrInvalid, i+1, t)
		}
	}
	return fmt.Errorf("a backend, policy or provider panicked while the cache was made: %w", p)
}

// Validate returns the error of a policy that checks its options.
func Validate(p writepolicy.Policy) (err error) {
	v, ok := p.(writepolicy.Validator)
	if !ok {
		return nil
	}
	defer func() {
		if p, ok := err.(*backends.PanicError); ok { //nolint:errorlint // the one of Catch
			err = fmt.Errorf("the policy panicked: %w", p)
		}
	}()
	defer guard.Catch(&err)
	if err = v.Validate(); err != nil {
		_, err = guard.Readable(err, "")
	}
	return err
}

// checkL1IsUsed returns the error of options by which L1 would never have a value. If L2 issues
// versions, conditional writes and loads put values into L1 under any policy.
func (e *Engine[V]) checkL1IsUsed() error {
	c := &e.config
	if c.NoRefill && builtin.OnL1(c.WritePolicy) == builtin.Drops && c.KeepLoaded == 0 && !e.l2.Versioned() {
		return fmt.Errorf("%w: with WithRefill(RefillNever) and the write policy %s, L1 would never have a value: leave one of them out",
			tier.ErrInvalid, e.policyName)
	}
	return nil
}

// checkTiers returns the error of tiers that are one, or in the wrong order.
func checkTiers(l1, l2 any, first, second backends.Description) error {
	if reflect.TypeOf(l1).Comparable() && reflect.TypeOf(l2).Comparable() && l1 == l2 {
		return fmt.Errorf("%w: l1 and l2 are one backend: pass two", tier.ErrInvalid)
	}
	if second.InProcess && !first.InProcess && first != (backends.Description{}) {
		return fmt.Errorf("%w: l1 (%s) is not in the process and l2 is: pass them in the other order", tier.ErrInvalid, first.System)
	}
	return nil
}
