// Package policytest checks that a [writepolicy.Policy] does what a cache relies
// on:
//
//	func TestMyPolicy(t *testing.T) {
//		t.Parallel()
//		policytest.Run(t, myPolicy{})
//	}
//
// The policy writes scripted tiers, in every combination of what may become of
// their calls, some of which are held until the policy can do nothing but wait.
// [Suite] says what is asked of it.
//
// Apart from the packages of this module, the package imports the standard
// library only.
package policytest
