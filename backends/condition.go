package backends

// Condition decides in the store whether a [Write] is made. Its zero value is [Always].
// A store decides and writes in one step, so that no other write comes in between.
type Condition struct {
	Test    Test
	Version Version // for TestIs, TestNotNewer and TestAbsentAt
}

// Test is the kind of a [Condition].
type Test uint8

// The tests.
const (
	TestAlways   Test = iota // the write is made
	TestAbsent               // if the key has no entry: none, an expired or a deleted one
	TestIs                   // if the key's entry has the version
	TestNotNewer             // if the key has a version that the given one covers
	TestAbsentAt             // if the key has no entry, and still the version that it had without one
)

// Always lets the write be made.
var Always Condition

// Absent lets a write be made if the key has no entry. An expired or deleted entry does not count.
func Absent() Condition { return Condition{Test: TestAbsent} }

// Is lets a write be made if the key's entry has version v, which must not be 0.
func Is(v Version) Condition { return Condition{Test: TestIs, Version: v} }

// NotNewer lets a write be made if the key's version, that of a deleted or expired entry
// included, is of the era of v and not greater. For a key of which the store remembers
// no version it refuses a Set and allows a Delete: the entry at v may have been
// replaced and deleted since, and a Set would bring back the past.
func NotNewer(v Version) Condition { return Condition{Test: TestNotNewer, Version: v} }

// AbsentAt lets a write be made if the key has no entry, and the version of the deleted or
// expired one that the store remembers is exactly v; 0: it remembers none. So a writer that
// has read a miss with version v knows that nobody has set or deleted the key since. For
// version 0 this holds as long as the store would remember a deletion: see [Write.Keep].
func AbsentAt(v Version) Condition { return Condition{Test: TestAbsentAt, Version: v} }

// Valid reports whether c is a condition that a store can decide.
func (c Condition) Valid() bool {
	switch c.Test {
	case TestAlways, TestAbsent:
		return c.Version == 0
	case TestIs, TestNotNewer:
		return c.Version != 0
	case TestAbsentAt:
		return true
	default:
		return false
	}
}

// Holds decides c for a key whose stored version is v (0: the store remembers none).
// Live says that the key has an entry, which is neither deleted nor expired. It is meant
// for implementations of [Versioned] that decide in Go.
func (c Condition) Holds(remove bool, v Version, live bool) bool {
	switch c.Test {
	case TestAlways:
		return true
	case TestAbsent:
		return !live
	case TestIs:
		return live && v != 0 && v == c.Version
	case TestNotNewer:
		return v == 0 && remove && !live || c.Version.Covers(v)
	case TestAbsentAt:
		return !live && v == c.Version
	default:
		return false
	}
}
