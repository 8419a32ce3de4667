package errtype

// errnoName finds nothing: Plan 9 has texts instead of error numbers. Package syscall
// describes them by a method Is.
func errnoName(error) (string, bool) { return "", false }

type errnoEntry struct{ symbol, name string }

var errnos []errnoEntry

var systemErrnos []errnoEntry
