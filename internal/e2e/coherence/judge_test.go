package coherence

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// span is a time on the shared clock.
type span struct{ from, to int64 }

// violation is a hit that was older than the bound, or on a value that nobody has written.
type violation struct {
	agent  int
	number int
	late   time.Duration // beyond the bound; 0: refused
	write  write
	read   read
	by     int64 // when the acknowledgment came of the write that has replaced it
}

func (x violation) String() string {
	at := func(t int64) time.Duration { return time.Duration(t - x.write.begun) }
	return fmt.Sprintf("instance %d, reader %d: write %d of key %d by instance %d, acknowledged after %v, replaced after %v, first hit after %v, last after %v: %v beyond the bound",
		x.agent/readersEach, x.agent%readersEach, x.number, x.write.key, x.write.by,
		at(x.write.acked), at(x.by), at(x.read.first), at(x.read.last), x.late)
}

// verdict is the result of a run.
type verdict struct {
	violations []violation
	hits       int64 // in L1, and those of batches
	contested  int64 // see read
	unjudged   int64 // on values of writes whose outcome is not known
	worst      time.Duration
	acked      int
	unknown    int
	counts     counts
}

// judge looks at all hits. Writes that were acknowledged in one of the lost times may
// have been lost with their server, so they have replaced nothing.
func judge(b *board, lost []span) *verdict {
	v := &verdict{worst: math.MinInt64}
	n := min(int(b.next.Load())+1, len(b.writes))
	writes := b.writes[:n]
	replaced := replacements(writes, lost)
	for i := range writes {
		switch {
		case writes[i].begun == 0:
		case writes[i].fate == applied:
			v.acked++
		case writes[i].fate == unknown:
			v.unknown++
		}
	}
	for agent := range b.reads {
		for number := range writes {
			v.add(agent, number, &writes[number], &b.reads[agent][number], replaced[number])
		}
		for res := range results {
			v.counts.quiet[res] += b.counts[agent].quiet[res]
			v.counts.wild[res] += b.counts[agent].wild[res]
		}
	}
	return v
}

func (v *verdict) add(agent, number int, w *write, r *read, replaced int64) {
	if r.hits == 0 {
		return
	}
	v.hits += r.hits
	v.contested += r.contested
	switch w.fate {
	case unknown:
		v.unjudged += r.hits
	case refused:
		v.violations = append(v.violations, violation{agent: agent, number: number, write: *w, read: *r})
	default:
		age := time.Duration(r.last - replaced)
		v.worst = max(v.worst, age)
		if late := age - bound; late > clockError {
			v.violations = append(v.violations, violation{agent, number, late, *w, *r, replaced})
		}
	}
}

// never is later than any time, so that ages since then are far below zero.
const never = math.MaxInt64 / 2

// replacements returns, for each acknowledged write, when the first acknowledgment came of
// one that has certainly replaced it, because it began later.
func replacements(writes []write, lost []span) []int64 {
	byKey := make([][]int, keys)
	for i := range writes {
		if w := &writes[i]; w.fate == applied {
			byKey[w.key] = append(byKey[w.key], i)
		}
	}
	replaced := make([]int64, len(writes))
	for _, numbers := range byKey {
		slices.SortFunc(numbers, func(a, b int) int { return cmp.Compare(writes[a].begun, writes[b].begun) })
		// first[i] is the first acknowledgment of those from i on.
		first := make([]int64, len(numbers)+1)
		first[len(numbers)] = never
		for i, number := range slices.Backward(numbers) {
			first[i] = first[i+1]
			if at := writes[number].acked; !isIn(at, lost) {
				first[i] = min(first[i], at)
			}
		}
		for _, number := range numbers {
			later, _ := slices.BinarySearchFunc(numbers, writes[number].acked+1, func(n int, at int64) int {
				return cmp.Compare(writes[n].begun, at)
			})
			replaced[number] = first[later]
		}
	}
	return replaced
}

func isIn(at int64, spans []span) bool {
	return slices.ContainsFunc(spans, func(s span) bool { return s.from <= at && at <= s.to })
}

// trusted is the share of unflagged hits in L1 among the reads, outside faults, of keys
// that have a value.
func (v *verdict) trusted() float64 {
	q := &v.counts.quiet
	return float64(q[hit]) / float64(max(1, q[hit]+q[fromL2]+q[flagged]+q[failed]))
}

// String is the report of a run.
func (v *verdict) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%d hits in L1, of them %d on keys that another process had replaced within %v, %d on values of unknown outcome\n",
		v.hits, v.contested, 2*bound, v.unjudged)
	fmt.Fprintf(&s, "%.2f %% trusted hits outside faults; reads outside and during faults:", 100*v.trusted())
	for res := range results {
		fmt.Fprintf(&s, " %s %d %d,", [...]string{"hits", "from L2", "in batches", "misses", "flagged", "failed"}[res],
			v.counts.quiet[res], v.counts.wild[res])
	}
	s.WriteString("\n")
	fmt.Fprintf(&s, "%d writes acknowledged, %d of unknown outcome; oldest hit %v after the value was replaced\n", v.acked, v.unknown, v.worst)
	fmt.Fprintf(&s, "%d violations", len(v.violations))
	for _, x := range v.violations[:min(10, len(v.violations))] {
		fmt.Fprintf(&s, "\n  %v", x)
	}
	return s.String()
}
