package repair

// Version is a position in the log of L2. Zero is unknown.
type Version uint8

// Write identifies a write of the key. Its age tells the invariants which is newer: own
// operation n has age 2n, and another process's write that L2 applied after operation n
// had begun has age 2n+1.
type Write struct{ Age, Number uint8 }

// ByOperation is the write of this process's operation n.
func ByOperation(n uint8) Write { return Write{Age: 2 * n} }

// Kind is the state of a key in L2.
type Kind uint8

// The kinds.
const (
	Absent Kind = iota
	Value
	Tombstone
)

// Cell is the key in L2.
type Cell struct {
	Kind    Kind
	Version Version
	Write   Write // in the header: the operation's id
}

// Store is L2.
type Store struct {
	Cell Cell
	Last Version // of the log
	Done Write   // the last write applied, also when its value is no longer there
}

// Condition is what a request demands of the key.
type Condition uint8

// The conditions.
const (
	Always Condition = iota
	NotNewer
	Is
)

// Request is a write on its way to L2. After its phase, the fields of the protocol.
type Request struct {
	Phase     Phase
	Operation uint8
	Delete    bool
	Condition Condition
	Version   Version // of the condition
	Server    uint8   // that has issued it
	Repair    bool
}

// Phase is the state of a request.
type Phase uint8

// The phases.
const (
	None    Phase = iota
	Sent          // L2 may get it at any time
	Arrived       // L2 has got it, but its sender does not know that
	Stray         // its sender takes it for dead, but L2 may still get it
)

// Accepts says whether the key fulfills the condition of a request.
func (s Store) Accepts(parts Parts, r Request, server uint8) bool {
	switch {
	case r.Condition == Always:
		return true
	case parts.Has(SameServer) && r.Server != server:
		return false
	case r.Condition == Is:
		return s.Cell.Version == r.Version
	case s.Cell.Kind == Absent:
		return r.Delete || !parts.Has(AbsentRefusesPut)
	default:
		return s.Cell.Version <= r.Version
	}
}

// Apply applies a write.
func (s Store) Apply(parts Parts, w Write, isDelete bool) Store {
	s.Last++
	s.Done = w
	switch {
	case !isDelete:
		s.Cell = Cell{Value, s.Last, w}
	case parts.Has(Tombstones):
		s.Cell = Cell{Tombstone, s.Last, w}
	default:
		s.Cell = Cell{}
	}
	return s
}

// Evict removes a value or a tombstone. One that expires is removed in the same way.
func (s Store) Evict() Store {
	s.Cell = Cell{}
	return s
}
