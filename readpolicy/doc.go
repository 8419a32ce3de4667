// Package readpolicy says in which order a cache asks its two tiers, and which of
// two values it returns.
//
//   - [Sequential]: L1, then L2 when L1 has no value. The default of a cache.
//   - [Race]: both at once, and the first hit wins.
//   - [Parallel]: both at once, and the fresher entry wins.
//
// An error of one tier never hides the value of the other.
package readpolicy
