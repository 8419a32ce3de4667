package redislog

// Bounds of a batch that is sent at once.
const (
	maxBatchKeys  = 128     // of one command, and of one pipeline of writes
	maxBatchBytes = 1 << 20 // of keys and values
	maxReadKeys   = 1024    // of one pipeline of reads
)

// Keyspace says where the keys of a backend are.
type Keyspace struct {
	Prefix string
	Log    *Log // nil without one
	Limits Limits
	Single bool // a command may have one key only
}

// Part returns the partition of key, and nil without a log.
func (s *Keyspace) Part(key string) *Partition {
	if s.Log == nil {
		return nil
	}
	return s.Log.Of(key)
}

// Read is one command of a batch of reads.
type Read struct {
	Part    *Partition // nil without a log
	Keys    []string   // with their prefix
	Indices []int      // of the keys in the batch

	bytes int
}

// full reports whether no key of this size fits into the command.
func (r *Read) full(size int) bool {
	return len(r.Keys) == maxBatchKeys || len(r.Keys) > 0 && r.bytes+size > maxBatchBytes
}

// Reads divides the keys over commands. Those that cannot have been stored are misses,
// and are left out.
func (s *Keyspace) Reads(keys []string) (reads []*Read) {
	open := make(map[*Partition]*Read)
	perRead := min(len(keys), maxBatchKeys)
	if s.Single {
		perRead = 1
	} else if s.Log != nil {
		perRead = min(perRead, len(keys)/len(s.Log.Partitions)+1)
	}
	for i, key := range keys {
		if s.Limits.CheckKey(key) != nil {
			continue
		}
		p, prefix := s.Part(key), s.Prefix
		if p != nil {
			prefix = p.Prefix
		}
		r := open[p]
		if r == nil || s.Single || r.full(len(key)) {
			r = &Read{Part: p, Keys: make([]string, 0, perRead), Indices: make([]int, 0, perRead)}
			open[p] = r
			reads = append(reads, r)
		}
		full := prefix + key
		r.Keys, r.Indices, r.bytes = append(r.Keys, full), append(r.Indices, i), r.bytes+len(full)
	}
	return reads
}

// NextReads divides reads into those that are sent at once now, and those that wait.
func NextReads(reads []*Read) (now, later []*Read) {
	n, size := 0, 0
	for n < len(reads) && (n == 0 || size+len(reads[n].Indices) <= maxReadKeys) {
		size += len(reads[n].Indices)
		n++
	}
	return reads[:n], reads[n:]
}

// Batched is a change of a batch of writes.
type Batched interface {
	// BatchKey is the key of the change.
	BatchKey() string

	// BatchSize is about the size of its command in bytes.
	BatchSize() int
}

// NextWrites divides the queue into the changes that are sent now and those that wait:
// for want of room, or for an earlier change of their key.
func NextWrites[W Batched](queue []W) (now, later []W) {
	taken := make(map[string]bool, min(len(queue), maxBatchKeys))
	bytes := 0
	for _, w := range queue {
		key, size := w.BatchKey(), w.BatchSize()
		fits := len(now) == 0 || len(now) < maxBatchKeys && bytes+size <= maxBatchBytes
		if taken[key] || !fits {
			later = append(later, w)
			taken[key] = true // those behind it wait too
			continue
		}
		taken[key] = true
		now, bytes = append(now, w), bytes+size
	}
	return now, later
}
