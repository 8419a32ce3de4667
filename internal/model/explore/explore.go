package explore

import "hash/maphash"

// Model is a transition system over states of type S. States are compared with ==, so
// two that differ in nothing that matters should be made equal, for instance by
// clearing fields that have no further use.
type Model[S comparable] struct {
	Start S

	// Next calls step for each state that one step leads to. The order of its calls
	// depends on s alone. A step to s itself is ignored, and is not counted as used.
	Next func(s S, step func(name string, to S))

	// Invariant says why s must not be, or nothing.
	Invariant func(s S) string

	// Most bounds the number of states. A search that reaches it ends incomplete.
	Most int
}

// Report is the result of a search.
type Report[S comparable] struct {
	States   int            // states that were found, the start included
	Steps    int            // steps that were tried
	Depth    int            // the greatest distance from the start
	Used     map[string]int // uses of each step that led elsewhere, by name
	Complete bool           // every reachable state was visited, and none violates the invariant

	// Counterexample is a shortest way to a state that violates the invariant, or nil.
	Counterexample *Counterexample[S]
}

// Run searches the states of m, breadth first, until one violates the invariant.
func Run[S comparable](m Model[S]) Report[S] {
	s := &search[S]{model: m, seed: maphash.MakeSeed(), slots: make([]uint32, 1<<10), labels: make(map[string]uint16)}
	if s.visit(m.Start, 0, "") {
		s.run()
	}
	return s.report()
}

// search is the state of Run. States are numbered in the order in which they are found.
type search[S comparable] struct {
	model  Model[S]
	found  [][]origin[S] // in chunks, so that they never move
	count  int
	seed   maphash.Seed
	slots  []uint32          // a hash table of states: their numbers, plus one
	labels map[string]uint16 // names of steps, numbered
	names  []string
	uses   []int
	steps  int
	reason string // why the last state found violates the invariant
	full   bool
}

const chunk = 1 << 12

// origin is a state and the step by which it was found first.
type origin[S comparable] struct {
	state S
	from  uint32
	label uint16
	depth uint16
}

func (s *search[S]) run() {
	done := false
	for i := 0; i < s.count && !done; i++ {
		at := s.at(i).state
		s.model.Next(at, func(name string, to S) {
			if done {
				return
			}
			s.steps++
			if to != at {
				done = !s.visit(to, uint32(i), name) //nolint:gosec // Most fits.
			}
		})
	}
}

// visit notes a state, and says whether the search goes on.
func (s *search[S]) visit(state S, from uint32, name string) bool {
	label := s.label(name)
	s.uses[label]++
	slot := s.slot(state)
	if *slot > 0 {
		return true
	}
	if s.count >= s.model.Most {
		s.full = true
		return false
	}
	depth := uint16(0)
	if s.count > 0 {
		depth = s.at(int(from)).depth + 1
	}
	if s.count%chunk == 0 {
		s.found = append(s.found, make([]origin[S], 0, chunk))
	}
	last := &s.found[s.count/chunk]
	*last = append(*last, origin[S]{state, from, label, depth})
	s.count++
	*slot = uint32(s.count) //nolint:gosec // Most fits.
	if 2*s.count > len(s.slots) {
		s.grow()
	}
	s.reason = s.model.Invariant(state)
	return s.reason == ""
}

// at returns a state by its number.
func (s *search[S]) at(i int) *origin[S] { return &s.found[i/chunk][i%chunk] }

// slot returns the place of a state in the table, which is 0 if it is not there.
func (s *search[S]) slot(state S) *uint32 {
	mask := uint64(len(s.slots)) - 1
	for h := maphash.Comparable(s.seed, state) & mask; ; h = (h + 1) & mask {
		if at := s.slots[h]; at == 0 || s.at(int(at)-1).state == state {
			return &s.slots[h]
		}
	}
}

// grow doubles the table.
func (s *search[S]) grow() {
	s.slots = make([]uint32, 2*len(s.slots))
	for i := range s.count {
		*s.slot(s.at(i).state) = uint32(i) + 1 //nolint:gosec // Most fits.
	}
}

// label numbers the names of steps.
func (s *search[S]) label(name string) uint16 {
	label, ok := s.labels[name]
	if !ok {
		label = uint16(len(s.names)) //nolint:gosec // A model has few steps.
		s.labels[name] = label
		s.names, s.uses = append(s.names, name), append(s.uses, 0)
	}
	return label
}

func (s *search[S]) report() Report[S] {
	last := s.count - 1
	r := Report[S]{
		States:   s.count,
		Steps:    s.steps,
		Depth:    int(s.at(last).depth),
		Used:     make(map[string]int),
		Complete: !s.full && s.reason == "",
	}
	for label, name := range s.names[1:] {
		r.Used[name] = s.uses[label+1]
	}
	if s.reason != "" {
		r.Counterexample = s.trace(last)
	}
	return r
}

// trace follows the origins of a state back to the start.
func (s *search[S]) trace(last int) *Counterexample[S] {
	c := &Counterexample[S]{Reason: s.reason, Path: make([]Visit[S], s.at(last).depth)}
	for i := len(c.Path) - 1; i >= 0; i-- {
		o := s.at(last)
		c.Path[i] = Visit[S]{s.names[o.label], o.state}
		last = int(o.from)
	}
	return c
}
