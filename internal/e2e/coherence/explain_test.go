package coherence

import (
	"fmt"
	"math"
	"time"

	"github.com/anishathalye/porcupine"
)

// sampleSpan is how long a sample of the history of a key is.
const sampleSpan = 5 * time.Second

// explanations are the results of samples of histories.
type explanations struct {
	explained int // an order of the calls explains all values that were read
	without   int // there is none
	open      int // time was up
	calls     int
}

func (x *explanations) String() string {
	return fmt.Sprintf("%d histories of %d calls with an explanation, %d without, %d undecided",
		x.explained, x.calls, x.without, x.open)
}

// explain looks for an explanation of what happened to each key in each time so long: that
// of one register, where each read begins the bound earlier than it did. It leaves out
// the lost times, in which no register forgets so much.
func explain(b *board, lost []span, long time.Duration, of []int) *explanations {
	x := new(explanations)
	for _, k := range of {
		for _, h := range histories(b, lost, int64(long), k) {
			if len(h) == 0 {
				continue
			}
			x.calls += len(h)
			switch porcupine.CheckOperationsTimeout(register().ToModel(), h, 2*time.Second) {
			case porcupine.Ok:
				x.explained++
			case porcupine.Illegal:
				x.without++
			default:
				x.open++
			}
		}
	}
	return x
}

// call is a step of a history.
type call struct {
	number  int64 // of the write; 0: nothing
	write   bool
	unknown bool // it may not have happened
}

// before is the state of a register before the history, which no read of it can find.
const before = int64(-1)

func register() *porcupine.NondeterministicModel {
	return &porcupine.NondeterministicModel{
		Init: func() []any { return []any{before} },
		Step: func(state, input, _ any) []any {
			c := input.(call)
			switch {
			case c.write && c.unknown:
				return []any{state, c.number}
			case c.write, state == c.number:
				return []any{c.number}
			default:
				return nil
			}
		},
	}
}

// histories returns those of the writes of a key that began in the same part of the run,
// with all their reads. It may leave out any other writes with their reads: what remains
// has an explanation if all has one.
func histories(b *board, lost []span, long int64, k int) [][]porcupine.Operation {
	parts := make(map[int64][]porcupine.Operation)
	n := min(int(b.next.Load())+1, len(b.writes))
	for number := 1; number < n; number++ {
		w := &b.writes[number]
		if int(w.key) != k || w.begun == 0 || w.fate == refused || touches(w, lost) {
			continue
		}
		part := w.begun / long
		parts[part] = append(parts[part], calls(b, int64(number), w)...)
	}
	all := make([][]porcupine.Operation, 0, len(parts))
	for _, h := range parts {
		all = append(all, h)
	}
	return all
}

// touches reports whether a write may have been lost with its server.
func touches(w *write, lost []span) bool {
	for _, s := range lost {
		if w.begun <= s.to && (w.fate == unknown || w.acked >= s.from) {
			return true
		}
	}
	return false
}

// calls returns a write and two reads. Since nobody writes a number twice, the value is
// there for one stretch of time, so of all reads these two matter: the one that ended
// first, and the one that began last.
func calls(b *board, number int64, w *write) []porcupine.Operation {
	put := call{number: number, write: true, unknown: w.fate == unknown}
	if w.removes {
		put.number = 0
	}
	end := w.acked
	if put.unknown {
		end = math.MaxInt64
	}
	ops := []porcupine.Operation{{Input: put, Call: w.begun, Return: end}}
	first, last := read{firstEnd: never}, read{last: -never}
	for agent := range b.reads {
		r := b.reads[agent][number]
		if r.hits > 0 && r.firstEnd < first.firstEnd {
			first = r
		}
		if r.hits > 0 && r.last > last.last {
			last = r
		}
	}
	if first.hits == 0 {
		return ops
	}
	get := call{number: number}
	return append(ops,
		porcupine.Operation{Input: get, Call: first.first - int64(bound+clockError), Return: first.firstEnd + int64(clockError)},
		porcupine.Operation{Input: get, Call: last.last - int64(bound+clockError), Return: last.lastEnd + int64(clockError)})
}

func allKeys() (all []int) {
	for k := range keys {
		all = append(all, k)
	}
	return all
}
