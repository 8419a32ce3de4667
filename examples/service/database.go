package main

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/backends"
)

// user is a record of the service.
type user struct {
	ID   string `json:"id"`
	Name string `json:"name"`

	// Version is the one that the database gave to this state of the user: the greater,
	// the newer. The cache goes by it.
	Version uint64 `json:"version"`
}

// seeded is how many users there are at the start, from id 1 on.
const seeded = 1000

// database stands for the one that has the truth. It is in memory, and as slow
// as a real one under load.
type database struct {
	tracer trace.Tracer
	delay  time.Duration

	mu      sync.Mutex
	rows    map[string]user
	version uint64 // of the last change
}

func newDatabase(tel *telemetry, delay time.Duration) *database {
	d := &database{
		tracer: tel.tracers.Tracer("database"), delay: delay, rows: make(map[string]user, seeded),
		// It forgets its rows when it ends, and the cache may not. So versions go on from
		// the time; those of a real database are stored with its rows.
		version: uint64(time.Now().UnixMicro()), //nolint:gosec // not before 1970
	}
	for i := 1; i <= seeded; i++ {
		id := strconv.Itoa(i)
		d.rows[id] = user{ID: id, Name: "User " + id, Version: d.version}
	}
	return d
}

// get returns an error that wraps [backends.ErrNotFound] when there is no such user, as
// a loader must. Of the user it then knows the version alone: that of the last change
// which the query has seen.
func (d *database) get(ctx context.Context, id string) (u user, err error) {
	err = d.query(ctx, "SELECT", func() error {
		row, ok := d.rows[id]
		if !ok {
			u.Version = d.version
			return fmt.Errorf("database: user: %w", backends.ErrNotFound)
		}
		u = row
		return nil
	})
	return u, err
}

// put returns the user as the database has it now, as RETURNING does in SQL.
func (d *database) put(ctx context.Context, u user) (stored user, err error) {
	err = d.query(ctx, "UPSERT", func() error {
		d.version++
		u.Version = d.version
		d.rows[u.ID], stored = u, u
		return nil
	})
	return stored, err
}

// remove returns the version of the deletion.
func (d *database) remove(ctx context.Context, id string) (version uint64, err error) {
	err = d.query(ctx, "DELETE", func() error {
		d.version++
		version = d.version
		delete(d.rows, id)
		return nil
	})
	return version, err
}

// query waits, and then executes f, alone.
func (d *database) query(ctx context.Context, operation string, execute func() error) error {
	ctx, span := d.tracer.Start(ctx, operation+" users", trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(semconv.DBSystemNameOtherSQL, semconv.DBOperationName(operation), semconv.DBCollectionName("users")))
	defer span.End()
	timer := time.NewTimer(d.delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		err := fmt.Errorf("database: %w", context.Cause(ctx))
		span.SetStatus(codes.Error, err.Error())
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return execute()
}
