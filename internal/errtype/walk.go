package errtype

// maxErrors bounds the work for an error that wraps itself, or very many.
const maxErrors = 256

// rank orders names by their precision. A higher one is preferred.
type rank int

const (
	none    rank = iota // no name
	carrier             // the type of a known wrapper, such as *url.Error
	typed               // a type of its own
	named               // a name of the tables, or one that the error gives itself
)

// timeout and canceled are the two names that depend on each other.
const (
	timeout  = "timeout"
	canceled = "canceled"
)

// A walker goes through one tree of errors, depth first.
type walker struct{ left int }

func (w *walker) name(err error) (string, rank) {
	if err == nil || w.left == 0 {
		return "", none
	}
	w.left--
	if name, ok := declared(err); ok {
		// An invalid name ends the search: the error means to hide the error that it
		// wraps.
		if name == Other || !Valid(name) {
			return "", none
		}
		return name, named
	}
	if name := known(err); name != "" {
		return name, named
	}
	inner, innerRank := w.inside(err)
	if innerRank < named {
		if name := fallback(err); name != "" {
			return name, named
		}
	}
	own, ownRank := typeName(err)
	if ownRank >= innerRank && ownRank > none {
		return own, ownRank
	}
	return inner, innerRank
}

// inside returns the name of the errors that err wraps.
func (w *walker) inside(err error) (string, rank) {
	branches, next := unwrap(err)
	if next != nil {
		return w.name(next)
	}
	for i, branch := range branches {
		name, r := w.name(branch)
		switch {
		case w.left == 0 && r == none:
			return "", none
		case r == none:
			continue
		case name == canceled:
			return w.deadline(branches[i+1:]), named
		default:
			return name, r
		}
	}
	return "", none
}

// deadline returns timeout if one of the branches has that name, and otherwise
// canceled.
func (w *walker) deadline(branches []error) string {
	for _, branch := range branches {
		if w.left == 0 {
			break
		}
		if name, _ := w.name(branch); name == timeout {
			return timeout
		}
	}
	return canceled
}
