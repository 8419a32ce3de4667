// Package policytest checks that a cache can rely on a [writepolicy.Policy]:
//
//	func TestMyPolicy(t *testing.T) {
//		t.Parallel()
//		policytest.Run(t, myPolicy{})
//	}
//
// The policy writes scripted tiers, in every combination of their outcomes. Some calls
// are held until the policy can do nothing but wait. [Suite] lists the demands on it.
//
// Apart from the packages of this module, the package imports the standard
// library only.
package policytest
