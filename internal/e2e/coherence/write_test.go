package coherence

import (
	"context"
	"math/rand/v2"
	"time"
)

// hot keys are written more often than others.
const hot = 16

// writeOn writes until the board says stop. Half of the keys have one writer each: the
// others have many.
func (i *instance) writeOn(ctx context.Context, own *rand.Rand) {
	rest := time.Second / time.Duration(i.Rate)
	for !i.board.stop.Load() && pause(ctx, rest/2+rand.N(rest)) { //nolint:gosec // any pause will do
		if i.write(ctx, own) != nil {
			return
		}
	}
}

// choose returns a key that the instance may write: an odd one, or one of its own.
func (i *instance) choose(own *rand.Rand) int {
	n := keys
	if own.IntN(4) == 0 {
		n = hot
	}
	k := own.IntN(n)
	if k%2 == 0 { // 2 × instances even keys have each owner once
		k = k/(2*instances)*(2*instances) + 2*i.Number
	}
	return k
}

// write makes one write.
func (i *instance) write(ctx context.Context, own *rand.Rand) (err error) {
	k := i.choose(own)
	key := i.names[k]
	var number int64
	switch kind := own.IntN(100); {
	case kind < 5:
		return i.writeMany(ctx, k, i.choose(own))
	case kind < 83:
		if number, err = i.begin(k); err == nil {
			i.end(number, i.cache.Set(ctx, key, number, time.Hour))
		}
	case kind < 86: // expires soon
		if number, err = i.begin(k); err == nil {
			i.end(number, i.cache.Set(ctx, key, number, 200*time.Millisecond))
		}
	case kind < 90:
		if number, err = i.begin(k); err == nil {
			i.board.writes[number].removes = true
			i.end(number, i.cache.Delete(ctx, key))
		}
	default:
		_, failed := i.cache.Update(ctx, key, time.Hour, func(int64, bool) (int64, error) {
			if number > 0 {
				i.board.writes[number].fate = refused // it has lost against another write
			}
			number, err = i.begin(k)
			return number, err
		})
		if err == nil && number > 0 {
			i.end(number, failed)
		}
	}
	return err
}

// begin takes the number of a write.
func (i *instance) begin(k int) (number int64, err error) {
	b := i.board
	number = b.next.Add(1)
	if number >= int64(len(b.writes)) {
		return 0, errFull
	}
	b.writes[number] = write{begun: i.clock.now(), key: int32(k), by: int32(i.Number)} //nolint:gosec // small
	return number, nil
}

// end notes the outcome. A write that has failed may still be applied, and also one that
// L2 has certainly not got: it may be repaired. Who reads another process's write in the
// meantime does not need the outcome.
func (i *instance) end(number int64, err error) {
	if err != nil {
		return
	}
	w := &i.board.writes[number]
	w.acked, w.fate = i.clock.now(), applied
	i.board.acked[w.key][i.Number].Store(w.acked)
}
