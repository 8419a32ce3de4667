package repair

// Way is how a process repairs a key that diverged.
type Way uint8

// The ways. All but the first write over newer data, or are surprised by a late request.
const (
	// Taken waits for the deadline, looks, and writes only if nobody was newer than the
	// version before the operation.
	Taken Way = iota
	// BlindRetry sends the write again.
	BlindRetry
	// ReadCompareWrite reads, compares clocks, and writes. The clocks are perfect.
	ReadCompareWrite
	// CompareAndSetOnRead reads, and writes if the version that it has read is still there.
	CompareAndSetOnRead
	// DropL1 drops the value in L1, and leaves L2 as it is.
	DropL1
)

// Parts is a set of rules that the way taken needs.
type Parts uint32

// The rules.
const (
	// Deadlines makes L2 refuse a request after its deadline.
	Deadlines Parts = 1 << iota
	// WaitForDeadline looks only when all requests of the key are past their deadlines.
	WaitForDeadline
	// LookAfterOlder leaves a key open when a newer operation was applied, until a look
	// after the deadline of the older one, which may have come last.
	LookAfterOlder
	// BaseBefore takes the base before the operation begins, and not when its outcome
	// turns out to be unknown.
	BaseBefore
	// Tombstones makes a delete leave its version.
	Tombstones
	// AbsentRefusesPut makes NotNewer refuse to put a value where L2 has nothing.
	AbsentRefusesPut
	// SameServer makes a condition fail on another server than the one whose version it
	// has, because ids are used again after a failover that lost some.
	SameServer
	// FillClosed does not fill L1 from L2 while the key is open.
	FillClosed
	// CloseReplaced closes the older event when a newer operation diverges too.
	CloseReplaced
	// Reopen opens a new event when the message of a resolved operation arrives.
	Reopen
)

// Full is all rules.
const Full = Deadlines | WaitForDeadline | LookAfterOlder | BaseBefore | Tombstones | AbsentRefusesPut | SameServer |
	FillClosed | CloseReplaced | Reopen

// Has says whether all of the parts are in the set.
func (p Parts) Has(parts Parts) bool { return p&parts == parts }

// Without returns the set without the parts.
func (p Parts) Without(parts Parts) Parts { return p &^ parts }
