package redis_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// networkFaults happen on the way to Redis and back. The proxy does what a toxic
// says at the moment at which the client is about to send the command, so a fault
// upstream meets the command, and one downstream the answer.
func networkFaults() map[string]fault {
	return map[string]fault{
		"none": {outcome: tier.Applied, applied: yes, strike: nothing},

		"reset before the command arrives": {outcome: tier.Unknown, resets: upstream, strike: reset},
		"reset before the answer arrives":  {outcome: tier.Unknown, applied: yes, resets: downstream, strike: reset},

		// The client has to dial for the command.
		"no way to the server": {
			outcome: tier.Failed, fresh: true,
			strike: func(t *testing.T, s *faultFixture) func() {
				t.Helper()
				s.triggers.beforeSending(s.proxy.Stop)
				return func() { assert.NoError(t, s.proxy.Start()) }
			},
		},
		// Redis has closed its end, and the client is not told. What it sends goes
		// nowhere.
		"closed before the command, unseen": {
			outcome: tier.Unknown, hangs: true, server: durable,
			strike: func(t *testing.T, s *faultFixture) func() {
				t.Helper()
				s.proxy.add(t, "slow_close", downstream, map[string]any{"delay": patience.Milliseconds()})
				s.triggers.beforeSending(s.server.Kill)
				again := restart(t, s)
				return func() {
					again()
					s.proxy.Toxics.ResetToxics(t.Context())
				}
			},
		},

		"command lost": {
			outcome: tier.Unknown, hangs: true,
			strike: toxic("timeout", upstream, map[string]any{"timeout": 0}),
		},
		"answer lost": {
			outcome: tier.Unknown, applied: yes, hangs: true,
			strike: toxic("timeout", downstream, map[string]any{"timeout": 0}),
		},
		"command lost, then closed": {
			outcome: tier.Unknown,
			strike:  toxic("timeout", upstream, map[string]any{"timeout": 100}),
		},
		"answer lost, then closed": {
			outcome: tier.Unknown, applied: yes,
			strike: toxic("timeout", downstream, map[string]any{"timeout": 100}),
		},

		// Before its name are 8 bytes, and before the key 17.
		"cut in the command's name": {
			outcome: tier.Unknown,
			strike:  toxic("limit_data", upstream, map[string]any{"bytes": 10}),
		},
		"cut in the key": {
			outcome: tier.Unknown,
			strike:  toxic("limit_data", upstream, map[string]any{"bytes": 22}),
		},
		"cut in the middle of the answer": {
			outcome: tier.Unknown, applied: yes,
			strike: toxic("limit_data", downstream, map[string]any{"bytes": 2}),
		},

		"slow answer": {
			outcome: tier.Unknown, applied: yes, hangs: true,
			strike: toxic("latency", downstream, map[string]any{"latency": 4 * soon.Milliseconds()}),
		},
		"slow, but in time": {
			outcome: tier.Applied, applied: yes,
			strike: toxic("latency", upstream, map[string]any{"latency": 50}),
		},
		"in small pieces": {
			outcome: tier.Applied, applied: yes,
			strike: toxic("slicer", upstream, map[string]any{"average_size": 3, "delay": 1000}),
		},
	}
}

// toxic has the proxy do something from the moment on at which the command is
// about to be sent.
func toxic(kind, stream string, attributes map[string]any) func(*testing.T, *faultFixture) func() {
	return func(t *testing.T, s *faultFixture) func() {
		t.Helper()
		s.triggers.beforeSending(func() { s.proxy.add(t, kind, stream, attributes) })
		return func() { s.proxy.Toxics.ResetToxics(t.Context()) }
	}
}

func reset(t *testing.T, s *faultFixture) (heal func()) {
	t.Helper()
	s.triggers.beforeSending(s.reset)
	return func() { s.proxy.Toxics.ResetToxics(t.Context()) }
}

func TestNetworkFaults(t *testing.T) {
	t.Parallel()
	runFaults(t, networkFaults())
}

// However much of a command arrives, Redis applies it only when it has all of it.
func TestNetworkFaults_CutAnywhere(t *testing.T) {
	t.Parallel()
	const header = 36
	size := len("*3\r\n$3\r\nset\r\n$9\r\n"+key+"\r\n$39\r\n"+newValue+"\r\n") + header
	cut := func(bytes int) fault {
		return fault{outcome: tier.Unknown, strike: toxic("limit_data", upstream, map[string]any{"bytes": bytes})}
	}
	for arrives := 1; arrives < size; arrives++ {
		t.Run(strconv.Itoa(arrives), func(t *testing.T) {
			t.Parallel()
			cut(arrives).run(t, writepolicy.Sequential(), tier.Set)
		})
	}
	t.Run("all of it", func(t *testing.T) {
		t.Parallel()
		f := cut(size)
		s := newFaultFixture(t, f, writepolicy.Sequential(), nil)
		s.put(t)
		f.strike(t, s)
		_ = s.Set(t.Context(), key, newValue, 0) // the answer may come through before the proxy closes the connection
		_, l2 := s.holds(t)
		assert.Equal(t, newValue, l2)
	})
}
