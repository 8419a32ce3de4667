package server

import (
	"os"
	"strings"
)

// WithoutTelemetry returns the environment that unsets every variable by which
// this process's own environment would tell a server what to do with telemetry.
// To OpenTelemetry, an empty variable is one that is not set.
func WithoutTelemetry() []string {
	var env []string
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "OTEL_") {
			env = append(env, name+"=")
		}
	}
	return env
}
