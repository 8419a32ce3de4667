package rueidisbackend

import (
	"errors"

	"github.com/redis/rueidis"

	"github.com/tiercache/tiercache/internal/rediserr"
)

func causeInClient(err error) (rediserr.Cause, bool) {
	for _, c := range []struct {
		err   error
		cause rediserr.Cause
	}{
		{rueidis.ErrClosing, rediserr.Cause{Text: "the client, or its connection, is closed", Type: "closed"}},
		{rueidis.ErrNoSlot, rediserr.Cause{Text: "no node of the cluster has the slot of the key", Type: "no_slot"}},
		{rueidis.ErrNoCache, rediserr.Cause{
			Text: "the server cannot tell the client of changes: set DisableCache in its options", Type: "unsupported",
		}},
	} {
		if errors.Is(err, c.err) {
			return c.cause, true
		}
	}
	return rediserr.Cause{}, false
}

// causeInReply knows the errors about replies that rueidis cannot read.
func causeInReply(err error) (rediserr.Cause, bool) {
	if rueidis.IsParseErr(err) || rueidis.IsRedisNil(err) {
		return rediserr.BadReply(), true
	}
	return rediserr.Cause{}, false
}
