// Package ycsb measures caches with the core workloads of the Yahoo! Cloud Serving
// Benchmark, as go-ycsb generates them.
//
// go-ycsb draws the operations beforehand, and the measured threads only replay them: so
// every library gets the same sequence, and neither drawing nor building values is
// measured.
package ycsb

import (
	"strconv"

	"github.com/magiconair/properties"
)

// workload is one of the core workloads, by the proportions and the distribution that
// YCSB defines. (The files that go-ycsb ships differ: they ask for uniform requests.)
type workload struct {
	name  string
	title string

	read, update, insert, modify float64 // shares of the operations
	distribution                 string  // of the keys that are asked for

	recorded bool // by somebody else: all operations are reads of the trace gli
	l1       int  // entries of the first tier, in place of those of the options; 0: those
}

const (
	zipfian = "zipfian" // scrambled: the hot keys are spread over all
	latest  = "latest"  // the keys that were inserted last are the hottest
)

func workloads() []workload {
	return []workload{
		{name: "A", title: "A: 50 % reads, 50 % updates, Zipf", read: 0.5, update: 0.5, distribution: zipfian},
		{name: "B", title: "B: 95 % reads, 5 % updates, Zipf", read: 0.95, update: 0.05, distribution: zipfian},
		{name: "C", title: "C: reads, Zipf", read: 1, distribution: zipfian},
		{name: "D", title: "D: 95 % reads of the latest, 5 % inserts", read: 0.95, insert: 0.05, distribution: latest},
		{name: "F", title: "F: 50 % reads, 50 % read-modify-writes, Zipf", read: 0.5, modify: 0.5, distribution: zipfian},
		{name: "G", title: "G: gli, a recorded trace: reads that loop, an L1 of 2,000", read: 1, distribution: zipfian, recorded: true, l1: 2000},
	}
}

// properties are those of go-ycsb. A record is one short field, because its values are
// not used.
func (w workload) properties(records int) *properties.Properties {
	if w.distribution == zipfian {
		records-- // go-ycsb draws from one key more than it has records
	}
	return properties.LoadMap(map[string]string{
		"recordcount":               strconv.Itoa(records),
		"fieldcount":                "1",
		"fieldlength":               "1",
		"readproportion":            share(w.read),
		"updateproportion":          share(w.update),
		"insertproportion":          share(w.insert),
		"readmodifywriteproportion": share(w.modify),
		"requestdistribution":       w.distribution,
	})
}

func share(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
