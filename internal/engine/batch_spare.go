package engine

// maxSpareReads bounds the reads that one batch leaves to a later one.
const maxSpareReads = 128

// spareReads are reads that have ended. A batch gets all that it needs at once, because a
// sync.Pool costs more than the rest of a short read (budget RedisGetMany).
type spareReads[V any] struct{ reads []*read[V] }

func (e *Engine[V]) getSpareReads() *spareReads[V] {
	s, _ := e.sparePool.Get().(*spareReads[V])
	if s == nil {
		s = &spareReads[V]{}
	}
	return s
}

// newRead returns a read of the batch.
func (b *batch[V]) newRead(key string) *read[V] {
	s := b.spare
	if len(s.reads) == 0 {
		return b.engine.newRead(key)
	}
	last := len(s.reads) - 1
	r := s.reads[last]
	s.reads[last], s.reads = nil, s.reads[:last]
	r.key = key
	return r
}

// put keeps r for a later batch, if there is room.
func (s *spareReads[V]) put(r *read[V]) {
	if len(s.reads) == maxSpareReads {
		r.engine.readPool.Put(r)
		return
	}
	s.reads = append(s.reads, r)
}
