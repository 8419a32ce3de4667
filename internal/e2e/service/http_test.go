package service_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// client keeps no connections: one that a server has closed meanwhile would fail a
// request for reasons of its own.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}

type answer struct {
	status int
	header http.Header
	body   string
}

// call makes a request and reads its answer.
func call(ctx context.Context, method, address, body string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	return do(client, request)
}

func do(client *http.Client, request *http.Request) (answer, error) {
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, fmt.Errorf("%s %s: %w", request.Method, request.URL, err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: string(body)}, nil
}

// query asks a JSON API and decodes its answer into a T.
func query[T any](ctx context.Context, address string, parameters url.Values) (T, error) {
	var result T
	address += "?" + parameters.Encode()
	a, err := call(ctx, http.MethodGet, address, "")
	if err != nil {
		return result, err
	}
	if a.status != http.StatusOK {
		return result, fmt.Errorf("GET %s: status %d: %s", address, a.status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &result); err != nil {
		return result, fmt.Errorf("GET %s: %w: %s", address, err, a.body)
	}
	return result, nil
}
