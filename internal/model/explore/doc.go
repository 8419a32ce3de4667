// Package explore searches all states that a model can reach.
//
// A model is a start, the steps that lead from a state to others, and an invariant.
// [Run] visits the states in order of their distance from the start, so the first
// violation that it finds is a shortest one. It prints as a numbered list of steps:
//
//	report := explore.Run(explore.Model[state]{
//		Start:     state{},
//		Next:      func(s state, step func(name string, to state)) { step("increment", s+1) },
//		Invariant: func(s state) string { return "" },
//		Most:      1_000_000,
//	})
//	fmt.Println(report.Counterexample)
//
// A search is deterministic: the same model gives the same report. A search that
// finds nothing proves something only if it went somewhere, so a report counts the
// states and the uses of each step.
package explore
