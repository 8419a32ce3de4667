package repair

import (
	"fmt"
	"testing"
	"time"

	"github.com/tiercache/tiercache/internal/model/explore"
)

func run(name string, w Way, p Parts, b Bounds) {
	m := Model(w, p, b)
	start := time.Now()
	r := explore.Run(m)
	fmt.Println("==", name, r.States, r.Depth, r.Complete, time.Since(start))
	if r.Counterexample != nil { fmt.Println(r.Counterexample) } else {fmt.Println(r.Used)}
}
func TestTmp(t *testing.T) {
	b := Bounds{Operations: 1, Others: 2, Evictions: 1, Attempts: 2}
	run("taken", Taken, Full, b)
	b2 := b
	b2.Operations = 2
	run("taken2", Taken, Full, b2)
	b3 := b
	b3.Failover = true
	run("taken failover", Taken, Full, b3)
	b4 := b
	b4.ClockBacks = 1
	run("taken clock", Taken, Full, b4)
	b5 := b2
	b5.ClockBacks = 1
	run("taken clock2", Taken, Full, b5)
	b5.ClockBacks = 0
	b5.Failover=true
	run("taken failover2", Taken, Full, b5)
	b0 := b
	b0.Evictions=0
	run("blind", BlindRetry, Full, b0)
	run("rcw", ReadCompareWrite, Full, b0)
	run("casread", CompareAndSetOnRead, Full, b0)
	run("dropl1 with deadlines", DropL1, Full, b0)
	run("dropl1 no deadlines", DropL1, Full&^Deadlines, b0)
	run("cas no deadline", Taken, Full&^Deadlines, b0)
	run("cas no wait", Taken, Full&^WaitForDeadline, b0)
	run("no tombstones, absent ok", Taken, Full&^Tombstones&^AbsentRefusesPut, b0)
	run("no tombstones", Taken, Full&^Tombstones, b)
	run("absent ok", Taken, Full&^AbsentRefusesPut, b)
	run("absent ok without eviction", Taken, Full&^AbsentRefusesPut, b0)
	run("fillclosed", Taken, Full&^FillClosed, b0)
	run("closereplaced", Taken, Full&^CloseReplaced, b2)
	run("keepdeadlines", Taken, Full&^LookAfterOlder, b2)
	run("sameserver", Taken, Full&^SameServer, b3)
	run("reopen", Taken, Full&^Reopen, b4)
}
