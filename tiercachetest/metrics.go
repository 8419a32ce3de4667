package tiercachetest

import (
	"context"
	"fmt"
	"slices"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tiercache/tiercache/tracing"
)

// Metrics prints the data points of the cache's metrics, a sorted line for each:
// name, unit, count of a histogram or value of a sum, attributes. Sums that are at 0
// are left out, because a cache publishes one for every combination of attributes. Durations are left out too; they are never the same
// twice.
func (r *Recorder) Metrics(ctx context.Context) ([]string, error) {
	var data metricdata.ResourceMetrics
	if err := r.reader.Collect(ctx, &data); err != nil {
		return nil, fmt.Errorf("tiercachetest: collecting metrics: %w", err)
	}
	var lines []string
	for _, m := range ofCaches(&data) {
		points, err := dataPoints(m.Data)
		if err != nil {
			return nil, fmt.Errorf("tiercachetest: %s: %w", m.Name, err)
		}
		for _, point := range points {
			lines = append(lines, m.Name+" "+m.Unit+" "+point)
		}
	}
	slices.Sort(lines)
	return lines, nil
}

// ofCaches returns the metrics that caches have made.
func ofCaches(data *metricdata.ResourceMetrics) (all []metricdata.Metrics) {
	for _, scope := range data.ScopeMetrics {
		if scope.Scope.Name == tracing.ScopeName {
			all = append(all, scope.Metrics...)
		}
	}
	return all
}

func dataPoints(data metricdata.Aggregation) (points []string, err error) {
	switch data := data.(type) {
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			points = append(points, fmt.Sprintf("count=%d %s", p.Count, Attributes(p.Attributes.ToSlice())))
		}
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			if p.Value != 0 {
				points = append(points, fmt.Sprintf("value=%d %s", p.Value, Attributes(p.Attributes.ToSlice())))
			}
		}
	default:
		return nil, fmt.Errorf("unexpected data of type %T", data)
	}
	return points, nil
}
