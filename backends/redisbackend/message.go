package redisbackend

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// A message of the log has the fields k, m, s and u: the key without its prefix, the
// meta, and the server's time in seconds and microseconds. The meta is the kind, the
// operation in eight bytes, and the note; of a hello it is the kind and the number of the
// protocol.

// protocol is the number of the rules of the log. A reader that sees another one in a
// hello knows that it cannot trust the log.
const protocol = "1"

// The kinds of messages.
const (
	messageSet    byte = 's'
	messageDelete byte = 'd'
	messageInit   byte = 'i' // the first of an era
	messageHello  byte = 'h' // a reader has joined
	messageAnswer byte = 'a' // a reader has seen the hello of another protocol
)

func messageMeta(kind byte, operation uint64, note []byte) []byte {
	meta := make([]byte, 1, 9+len(note))
	meta[0] = kind
	return append(binary.BigEndian.AppendUint64(meta, operation), note...)
}

// message is one that was read.
type message struct {
	id       streamID
	kind     byte
	protocol string // of a hello
	change   backends.Change
}

// parseMessage returns false for what no release of this protocol can have written. The
// id is right in any case if it can be read.
func parseMessage(id string, fields []string) (m message, ok bool) {
	if m.id, ok = parseStreamID(id); !ok || len(fields) != 8 ||
		fields[0] != "k" || fields[2] != "m" || fields[4] != "s" || fields[6] != "u" || fields[3] == "" {
		return m, false
	}
	meta := fields[3]
	m.kind = meta[0]
	switch m.kind {
	case messageInit:
		return m, true
	case messageHello, messageAnswer:
		m.protocol = meta[1:]
		return m, true
	case messageSet, messageDelete:
	default:
		return m, false
	}
	if len(meta) < 9 || fields[1] == "" {
		return m, false
	}
	m.change = backends.Change{
		Key: fields[1], Kind: tier.Set, Version: m.id.version(),
		Operation: uint64(versionIn(meta[1:])), At: storeTime(fields[5], fields[7]),
	}
	if m.kind == messageDelete {
		m.change.Kind = tier.Delete
	}
	if len(meta) > 9 {
		m.change.Note = []byte(meta[9:])
	}
	return m, true
}

// isChange reports whether the message is about a key.
func (m *message) isChange() bool { return m.kind == messageSet || m.kind == messageDelete }

// storeTimeIn reads seconds and microseconds, with a space between.
func storeTimeIn(text string) time.Time {
	seconds, micros, _ := strings.Cut(text, " ")
	return storeTime(seconds, micros)
}
