// Package tiercachetest helps to test code that uses a cache: it makes tiers fail, and
// records the telemetry of the cache.
//
// [New] makes a cache over two tiers that fail as the test asks. [Recorder]
// records the telemetry of a cache, and [Tree] prints spans in a form that a
// test can compare.
//
//	rec := tiercachetest.NewRecorder()
//	f := tiercachetest.New[string](t, rec.Options()...)
//	f.L2.Next(tier.Set, backendtest.FailBefore(errors.New("refused")))
//	err := f.Set(ctx, "key", "value", time.Hour)
//	// err is a tiercache.ErrInconsistent, rec.Inconsistencies() has one element,
//	// and rec.Tree() is the trace.
//
// [NewProcess] makes the cache of one of several processes over a [backendtest.Store],
// whose versions, conditions and log are under the test's control.
//
// The package is the only one of its module that imports OpenTelemetry's SDK: a test
// compares the spans that the SDK exports. Programs that do not import the package do
// not compile the SDK.
package tiercachetest
