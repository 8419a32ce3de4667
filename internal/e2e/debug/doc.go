// Package debug tests the page of tiercachedebug as an operator sees it: in a real
// Chromium, from `make e2e-setup`. A test fails when it is missing: what is skipped
// proves nothing.
package debug
