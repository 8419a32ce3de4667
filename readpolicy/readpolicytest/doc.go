// Package readpolicytest checks that a [readpolicy.Policy] does what a cache
// relies on:
//
//	func TestMyPolicy(t *testing.T) {
//		t.Parallel()
//		readpolicytest.Run(t, myPolicy{})
//	}
//
// The policy reads scripted tiers, in every combination of what they may answer.
// Some of them are held until the policy can do nothing but wait. [Suite] says
// what is asked of it.
//
// Apart from the packages of this module, the package imports the standard
// library only.
package readpolicytest
