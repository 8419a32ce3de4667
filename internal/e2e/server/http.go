package server

import (
	"context"
	"fmt"
	"net/http"
)

// getOK returns nil when a GET of every URL is answered with status 200.
func getOK(ctx context.Context, urls ...string) error {
	for _, url := range urls {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("GET %s: %s", url, response.Status)
		}
	}
	return nil
}
