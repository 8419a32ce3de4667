package backendtest

import "time"

// trials is how often a check is made that ends too late to see anything.
const trials = 10

// timely makes a check of a promise that ends soon. Try describes the problem that it finds, or
// returns "", and the instant until which the backend had to keep the promise. If that has passed
// before the problem is reported, the backend may be right and the process may have been kept from
// running: the check is made again, with the number of the trial, by which try may wait longer. The
// problem of the last trial is reported in any case, so that no check passes that has seen nothing.
func (c check[V]) timely(try func(trial int) (problem string, until time.Time)) {
	c.t.Helper()
	for trial := 1; ; trial++ {
		problem, until := try(trial)
		switch {
		case problem == "":
			return
		case time.Now().Before(until):
			c.t.Fatal(problem)
		case trial == trials:
			c.t.Fatalf("%s; each of %d trials was too slow to tell whether it is the backend's fault", problem, trials)
		}
	}
}
