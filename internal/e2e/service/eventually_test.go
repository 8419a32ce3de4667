package service_test

import (
	"testing"
	"time"
)

const (
	// deadline is far more than anything here needs: telemetry arrives within a
	// second, but a machine may be busy with other things.
	deadline = 60 * time.Second
	interval = 50 * time.Millisecond
)

// eventually asks until there is no error, and fails the test with the last one.
func eventually(t *testing.T, ask func() error) {
	t.Helper()
	timer := time.NewTimer(deadline)
	defer timer.Stop()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatalf("the test has ended: %v", err)
		case <-timer.C:
			t.Fatalf("not after %v: %v", deadline, err)
		case <-ticker.C:
		}
	}
}
