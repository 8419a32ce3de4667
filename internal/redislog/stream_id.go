package redislog

import (
	"strconv"
	"strings"

	"github.com/tiercache/tiercache/backends"
)

// streamID is the id of a message.
type streamID struct {
	era uint32
	seq uint64
}

// parseStreamID returns false for an id that is not of a log of ours.
func parseStreamID(id string) (streamID, bool) {
	left, right, ok := strings.Cut(id, "-")
	era, err := strconv.ParseUint(left, 10, 32)
	seq, err2 := strconv.ParseUint(right, 10, 64)
	if !ok || err != nil || err2 != nil || era == 0 || era > backends.MaxEra || seq > backends.MaxSeq {
		return streamID{}, false
	}
	return streamID{uint32(era), seq}, true
}

func (id streamID) version() backends.Version { return backends.MakeVersion(id.era, id.seq) }

func (id streamID) String() string {
	return strconv.FormatUint(uint64(id.era), 10) + "-" + strconv.FormatUint(id.seq, 10)
}
