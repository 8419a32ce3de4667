package service_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// record is the part of a line of the service's log that is used here.
type record struct {
	Level     string `json:"level"`
	TraceID   string `json:"trace_id"`
	Event     string `json:"event"`
	StaleTier string `json:"tiercache.inconsistency.stale_tier"`
}

// awaitLog waits until the log of a service has the event of the library and a warning
// of the service itself, both with the id of a trace; and requires that it is all JSON
// and says neither keys nor values.
func awaitLog(t *testing.T, s *instance, traceID string) {
	t.Helper()
	wanted := []record{
		{Level: "ERROR", TraceID: traceID, Event: "tiercache.inconsistency", StaleTier: "l1"},
		{Level: "WARN", TraceID: traceID},
	}
	eventually(t, func() error {
		seen, err := records(s.Output())
		if err != nil {
			return err
		}
		for _, r := range wanted {
			if !slices.Contains(seen, r) {
				return fmt.Errorf("the log has no %+v:\n%s", r, s.Output())
			}
		}
		return nil
	})
	assert.NotContains(t, s.Output(), secretID)
	assert.NotContains(t, s.Output(), secretName)
}

func records(output string) (all []record, err error) {
	for line := range strings.Lines(output) {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return nil, fmt.Errorf("%w: %s", err, line)
		}
		all = append(all, r)
	}
	return all, nil
}
