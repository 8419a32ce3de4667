package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/tracing"
)

// tailSampling is the part of the tail_sampling processor's configuration that the file
// uses. A field that is not here is a mistake.
type tailSampling struct {
	DecisionWait            time.Duration `yaml:"decision_wait"`
	NumTraces               int           `yaml:"num_traces"`
	ExpectedNewTracesPerSec int           `yaml:"expected_new_traces_per_sec"`
	DecisionCache           struct {
		SampledCacheSize int `yaml:"sampled_cache_size"`
	} `yaml:"decision_cache"`
	Policies []samplingPolicy
}

type samplingPolicy struct {
	Name, Type       string
	BooleanAttribute *struct {
		Key   string
		Value *bool
	} `yaml:"boolean_attribute"`
	StringAttribute *struct {
		Key    string
		Values []string
	} `yaml:"string_attribute"`
	StatusCode *struct {
		StatusCodes []string `yaml:"status_codes"`
	} `yaml:"status_code"`
	Probabilistic *struct {
		SamplingPercentage float64 `yaml:"sampling_percentage"`
	}
}

type collector struct {
	Receivers, Exporters map[string]any
	Processors           struct {
		MemoryLimiter map[string]any `yaml:"memory_limiter"`
		TailSampling  tailSampling   `yaml:"tail_sampling"`
		Batch         map[string]any
	}
	Service struct {
		Pipelines map[string]struct{ Receivers, Processors, Exporters []string }
	}
}

// The collector's configuration has no unknown fields, keeps traces of inconsistent
// writes, of repairs and of errors, and decides later than such a write can become known.
func TestDeploy_Collector(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("deploy", "collector", "tail-sampling.yaml"))
	require.NoError(t, err)
	var c collector
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(&c))

	traces := c.Service.Pipelines["traces"]
	assert.Equal(t, []string{"memory_limiter", "tail_sampling", "batch"}, traces.Processors)
	for _, r := range traces.Receivers {
		assert.Contains(t, c.Receivers, r)
	}
	for _, e := range traces.Exporters {
		assert.Contains(t, c.Exporters, e)
	}

	const batch = 5 * time.Second // for which the SDK collects spans
	tail := c.Processors.TailSampling
	assert.Greater(t, tail.DecisionWait, tiercache.DefaultWriteTimeout+batch)
	assert.Greater(t, tail.DecisionCache.SampledCacheSize, tail.NumTraces)
	assert.Greater(t, tail.NumTraces, int(tail.DecisionWait.Seconds())*tail.ExpectedNewTracesPerSec)

	ofType := func(name string) samplingPolicy {
		i := slices.IndexFunc(tail.Policies, func(p samplingPolicy) bool { return p.Type == name })
		require.GreaterOrEqual(t, i, 0, name)
		return tail.Policies[i]
	}
	consistent := ofType("boolean_attribute").BooleanAttribute
	require.NotNil(t, consistent)
	assert.Equal(t, string(tracing.AttrConsistent), consistent.Key)
	require.NotNil(t, consistent.Value)
	assert.False(t, *consistent.Value)
	repairs := ofType("string_attribute").StringAttribute
	require.NotNil(t, repairs)
	assert.Equal(t, string(tracing.AttrOperation), repairs.Key)
	assert.Equal(t, []string{"repair"}, repairs.Values)
	status := ofType("status_code").StatusCode
	require.NotNil(t, status)
	assert.Equal(t, []string{"ERROR"}, status.StatusCodes)
	rest := ofType("probabilistic").Probabilistic
	require.NotNil(t, rest)
	assert.Less(t, rest.SamplingPercentage, 100.0)

	names := map[string]bool{}
	for _, p := range tail.Policies {
		assert.NotEmpty(t, p.Name)
		assert.False(t, names[p.Name], p.Name)
		names[p.Name] = true
	}
}
