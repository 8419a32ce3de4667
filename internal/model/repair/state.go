package repair

import "fmt"

// State is everything at one moment.
type State struct {
	Store    Store
	Server   uint8 // counts failovers
	Replica  Store
	Requests [3]Request
	Process  Process
	Used     Used
	Trouble  Trouble
}

// Used counts against Bounds.
type Used struct{ Others, Evictions, Attempts, ClockBacks uint8 }

// Trouble is an event that must not be.
type Trouble uint8

// The troubles.
const (
	Fine       Trouble = iota
	Overwrote          // a repair replaced newer data, or brought back older
	ActedLater         // a request of a resolved operation had an effect
)

// Check says which promise is broken.
func (s State) Check(parts Parts) string {
	p := s.Process
	aware := p.Seen == s.Store.Last && p.Server == s.Server
	switch {
	case s.Trouble == Overwrote:
		return "a repair has replaced newer data"
	case s.Trouble == ActedLater && (aware || s.Used.ClockBacks == 0 || !parts.Has(Reopen)):
		return "a request has had an effect after its operation was resolved"
	case p.Ledger.Opened-p.Ledger.Closed != open(p.Ledger):
		return fmt.Sprintf("opened %d - closed %d is not open %d", p.Ledger.Opened, p.Ledger.Closed, open(p.Ledger))
	case p.Stage == Idle && p.L1.Held && aware && p.L1.Write != s.Store.Done:
		return fmt.Sprintf("nothing is open, and L1 has %v where L2 had %v", p.L1.Write, s.Store.Done)
	case p.Ledger.Open && p.Stage != Writing && p.L1.Held && p.L1.Write.Age < 2*p.Operation:
		return fmt.Sprintf("the key is open, and L1 shows %v", p.L1.Write)
	}
	return ""
}

func open(l Ledger) uint8 {
	if l.Open {
		return 1
	}
	return 0
}

// String shows the state in a counterexample.
func (w Write) String() string {
	switch {
	case w.Age == 0:
		return "the first value"
	case w.Age%2 == 0:
		return fmt.Sprintf("operation %d", w.Age/2)
	default:
		return fmt.Sprintf("another's write %d", w.Number)
	}
}

// String shows the state in a counterexample.
func (s State) String() string {
	kind := [...]string{"nothing", "value", "tombstone"}[s.Store.Cell.Kind]
	l1 := "nothing"
	if s.Process.L1.Held {
		l1 = fmt.Sprintf("%v@%d", s.Process.L1.Write, s.Process.L1.Version)
	}
	if s.Store.Cell.Kind != Absent {
		kind += fmt.Sprintf(" of %v@%d", s.Store.Cell.Write, s.Store.Cell.Version)
	}
	return fmt.Sprintf("L2: %s; L1: %s; %s", kind, l1,
		[...]string{"idle", "writing", "open", "looked", "repairing"}[s.Process.Stage])
}
