package coherence

// Parts is a set of rules of the protocol. The protocol is [Full]; each rule that is
// left out has a counterexample.
type Parts uint64

// The rules of the reader, which proves that the cache misses nothing.
const (
	// CompareServers distrusts a server other than the one that was joined.
	CompareServers Parts = 1 << iota
	// CompareHead distrusts a log whose head is below a version that the process has seen.
	CompareHead
	// CompareReplies sees versions in all replies of L2, and not only in the log.
	CompareReplies
	// DenseIDs takes an id other than the next one for a gap.
	DenseIDs
	// ConsumeToHead accepts a heartbeat only when all up to its head was consumed.
	ConsumeToHead
	// AsOfSent dates the proof to the instant before the heartbeat was sent, and not to
	// its answer.
	AsOfSent
	// ReconnectProvesNothing leaves the proof as it is when the reader reconnects.
	ReconnectProvesNothing
)

// The rules for entries in L1, for reads that will store one, and for writes under way.
const (
	// SuspectEntries distrusts entries and negatives from before a loss of trust.
	SuspectEntries Parts = 1 << (iota + 16)
	// SuspectAtJoin does so again when the reader joins.
	SuspectAtJoin
	// FenceOnLoss makes reads under way store nothing after a loss or a join.
	FenceOnLoss
	// FenceOnMessage makes reads under way store nothing after a message about the key.
	FenceOnMessage
	// WritesOnLoss makes writes under way store nothing after a loss or a join.
	WritesOnLoss
	// LeaveWithWriter leaves the version of a message with the writer that holds the
	// key's lock.
	LeaveWithWriter
	// DropUnderWriter drops the entry at once although a writer holds the key's lock.
	DropUnderWriter
	// DropNegatives drops the key's negative with its entry.
	DropNegatives
	// FlagUnversioned flags what an L1-first write has stored until L2 has answered.
	FlagUnversioned
	// DropOtherEras compares versions within an era, and stores none of another.
	DropOtherEras
	// RevalidateWrite takes an entry for unchanged if L2 has the version of the same
	// write, and not merely the same version.
	RevalidateWrite
)

// The rules of the log and of those who write it.
const (
	// NoMakeStream makes a write fail when there is no log (NOMKSTREAM).
	NoMakeStream Parts = 1 << (iota + 40)
	// NewEras gives a new log an era that no log had before.
	NewEras
	// LogFirst adds the message before it changes the value.
	LogFirst
	// ReadPrimary reads from the primary alone.
	ReadPrimary
)

// Rules that are no part of the protocol, and take the place of one in some tests.
const (
	// MatchLog looks, with each heartbeat, whether the log still has the entry at the
	// reader's position.
	MatchLog Parts = 1 << (iota + 56)
	// CompareReplica lets a read from a replica store a value only if the replica had
	// all messages that the reader had consumed when the read began.
	CompareReplica
	// WaitForEra lets a new log take no message before the second that is its era is over.
	// So a log that is made in the era of another one follows one that nobody has used.
	WaitForEra
	// CompareAnswers distrusts an answer of another server than the one that was joined.
	// The connections of a pool can compare it once, when they are made.
	CompareAnswers
)

// Full is the protocol.
const Full = CompareServers | CompareHead | CompareReplies | DenseIDs | ConsumeToHead | AsOfSent |
	ReconnectProvesNothing | SuspectEntries | SuspectAtJoin | FenceOnLoss | FenceOnMessage | WritesOnLoss |
	LeaveWithWriter | DropUnderWriter | DropNegatives | FlagUnversioned | DropOtherEras | RevalidateWrite |
	NoMakeStream | NewEras | LogFirst | ReadPrimary

// Has says whether all of the parts are in the set.
func (p Parts) Has(parts Parts) bool { return p&parts == parts }

// Without returns the set without the parts.
func (p Parts) Without(parts Parts) Parts { return p &^ parts }
