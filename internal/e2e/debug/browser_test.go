package debug_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// browser is the path of a Chromium; TIERCACHE_E2E_CHROMIUM names another one.
func browser(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("TIERCACHE_E2E_CHROMIUM"); path != "" {
		return path
	}
	for _, name := range []string{"chromium-headless-shell", "chromium", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	require.Fail(t, "there is no Chromium: run make e2e-setup, or name one by TIERCACHE_E2E_CHROMIUM")
	return ""
}

// run starts a Chromium with a profile of its own, waits for its end, and returns its
// output and its log, which has what a page writes to the console.
func run(t *testing.T, url string, args ...string) (output, log string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	all := append([]string{
		"--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage",
		"--hide-scrollbars", "--enable-logging=stderr", "--window-size=1200,1600",
		"--user-data-dir=" + filepath.Join(t.TempDir(), "profile"),
	}, args...)
	if os.Geteuid() == 0 {
		all = append(all, "--no-sandbox") // Chromium's sandbox does not run as root; the page is our own
	}
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(ctx, browser(t), append(all, url)...) //nolint:gosec // a browser of the developer's choice
	command.Stdout, command.Stderr = &stdout, &stderr
	require.NoError(t, command.Run(), "%s", &stderr)
	return stdout.String(), stderr.String()
}

// dom returns the document as text after it was loaded.
func dom(t *testing.T, url string) (document, log string) {
	t.Helper()
	return run(t, url, "--dump-dom")
}

// screenshot returns the page as it looks.
func screenshot(t *testing.T, url string, args ...string) image.Image {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page.png")
	run(t, url, append(args, "--screenshot="+path)...)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	picture, err := png.Decode(bytes.NewReader(content))
	require.NoError(t, err)
	return picture
}

// pixels counts those of one colour, such as "c0201f".
func pixels(picture image.Image, colour string) (n int) {
	for y := picture.Bounds().Min.Y; y < picture.Bounds().Max.Y; y++ {
		for x := picture.Bounds().Min.X; x < picture.Bounds().Max.X; x++ {
			if r, g, b, _ := picture.At(x, y).RGBA(); fmt.Sprintf("%02x%02x%02x", r>>8, g>>8, b>>8) == colour {
				n++
			}
		}
	}
	return n
}
