package service_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// panel is the part of a panel of Grafana that is used here.
type panel struct {
	Title   string `json:"title"`
	Targets []struct {
		Expression string `json:"expr"`
	} `json:"targets"`
	Panels []panel `json:"panels"` // of a row that is folded
}

// dashboard returns all panels of the example's dashboard that ask Prometheus something.
func dashboard(t *testing.T) []panel {
	t.Helper()
	path, err := example("service", "deploy", "grafana", "dashboards", "tiercache.json")
	require.NoError(t, err)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	var all panel
	require.NoError(t, json.Unmarshal(content, &all))
	found := all.asking()
	require.NotEmpty(t, found)
	return found
}

func (p *panel) asking() (found []panel) {
	if len(p.Targets) > 0 {
		found = append(found, *p)
	}
	for i := range p.Panels {
		found = append(found, p.Panels[i].asking()...)
	}
	return found
}

// filled puts in what Grafana puts in for its variables.
func filled(expression string) string {
	return strings.NewReplacer("$__rate_interval", "5m", "$__range", "5m", "$cache", ".*").Replace(expression)
}
