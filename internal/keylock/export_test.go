package keylock

// SharesBucket reports whether two keys belong to one bucket.
func (tb *Table) SharesBucket(key1, key2 string) bool { return tb.bucket(key1) == tb.bucket(key2) }

// Shared reports whether the bucket of key is shared.
func (tb *Table) Shared(key string) bool { return tb.bucket(key).sole.Load() == sharedMarker }

// Untouched reports whether every bucket is empty and keeps no key.
func (tb *Table) Untouched() bool {
	for i := range tb.buckets {
		b := &tb.buckets[i]
		if b.sole.Load() != nil || b.present != 0 || len(b.entries) != 0 {
			return false
		}
	}
	return true
}
