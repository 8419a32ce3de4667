// Package readpolicy says in which order the two tiers of a cache are asked, and
// whose answer counts.
//
//   - [Sequential]: L1, then L2 when L1 has no value. The default of a cache.
//   - [Race]: both at once, and the first hit wins.
//   - [Parallel]: both at once, and the fresher entry wins.
//
// An error of one tier never hides the value of the other. Package
// readpolicytest checks any [Policy], including a user's own.
package readpolicy
