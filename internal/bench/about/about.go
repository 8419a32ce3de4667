// Package about describes the versions and the machine of a comparison.
package about

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/tiercache/tiercache/internal/bench/driver"
	"github.com/tiercache/tiercache/tracing"
)

// Versions returns the versions of the drivers' libraries, and the day.
func Versions(drivers []driver.Driver, now time.Time) string {
	var paths []string
	for _, d := range drivers {
		paths = append(paths, d.Module)
	}
	return VersionsOf(paths, now)
}

// VersionsOf returns the versions of modules, each once, and the day.
func VersionsOf(paths []string, now time.Time) string {
	versions := modules()
	var parts []string
	seen := map[string]bool{}
	for _, path := range paths {
		if seen[path] {
			continue
		}
		seen[path] = true
		parts = append(parts, strings.TrimPrefix(path, "github.com/")+" "+versions[path])
	}
	return fmt.Sprintf("%s; %s.", strings.Join(parts, ", "), now.UTC().Format(time.DateOnly))
}

// modules returns the versions of the modules that this program is made of. This
// repository's own is that of its telemetry.
func modules() map[string]string {
	versions := map[string]string{}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			versions[dep.Path] = dep.Version
		}
	}
	versions[tracing.ScopeName] = "v" + tracing.Version
	return versions
}

// Machine describes the machine, without naming it.
func Machine() string {
	return fmt.Sprintf("%d cores, %s, %s/%s, %s",
		runtime.NumCPU(), cpu(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// cpu returns the processor's model where the system tells it in the way that
// Linux does.
func cpu() string {
	file, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	defer func() { _ = file.Close() }() // it was only read
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), ":")
		if ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

// Load returns the machine's load average of the last minute, where the system tells it
// in the way that Linux does: a run beside other work is to be known as one.
func Load() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	load, _, _ := strings.Cut(string(data), " ")
	return load
}
