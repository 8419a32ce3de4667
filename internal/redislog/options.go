package redislog

import (
	"fmt"
	"strings"
)

// Options are those that a backend got for its log.
type Options struct {
	Log        bool // there is one
	Given      bool // the number of partitions or the length was
	Raw        bool // values have no header
	Prefix     string
	Partitions int // 0: the default; negative: 0 was given
	Length     int
}

// Check returns errors that wrap bad and name the options of the backend.
func (o *Options) Check(bad error) (errs []error) {
	refuse := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%w: "+format, append([]any{bad}, args...)...))
	}
	if len(o.Prefix) > MaxPrefixSize {
		refuse("the key prefix has %d bytes: use at most %d", len(o.Prefix), MaxPrefixSize)
	}
	switch {
	case !o.Log && o.Given:
		refuse("WithLogPartitions and WithLogLength need WithLog")
	case !o.Log:
	case o.Raw:
		refuse("WithLog and WithRawValues exclude each other: raw values have no room for a version")
	}
	if o.Partitions < 0 || o.Partitions > MaxPartitions {
		refuse("WithLogPartitions takes 1 to %d", MaxPartitions)
	}
	if o.Length < MinLength || o.Length > MaxLength {
		refuse("WithLogLength takes %d to %d", MinLength, MaxLength)
	}
	if _, tag, found := strings.Cut(o.Prefix, "{"); o.Log && found && strings.HasPrefix(tag, "}") {
		refuse("the key prefix contains {}, which keeps the keys of a log apart from it in a cluster")
	}
	return errs
}
