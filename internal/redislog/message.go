package redislog

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

func messageMeta(kind byte, operation uint64, note []byte) string {
	meta := make([]byte, 1, 9+len(note))
	meta[0] = kind
	return string(append(binary.BigEndian.AppendUint64(meta, operation), note...))
}

// Message is one that was read. The id is zero if it cannot be one of ours, and the kind
// is 0 for a message that no release of this protocol can have written.
type Message struct {
	id       streamID
	kind     byte
	protocol string // of a hello
	change   backends.Change
}

// ParseMessage reads a message. Field returns a field of it, or "" if it has none of that name.
func ParseMessage(id string, field func(name string) string) (m Message) {
	m.id, _ = parseStreamID(id)
	key, meta := field("k"), field("m")
	if meta == "" {
		return m
	}
	switch kind := meta[0]; {
	case kind == messageInit:
		m.kind = kind
	case kind == messageHello, kind == messageAnswer:
		m.kind, m.protocol = kind, meta[1:]
	case (kind == messageSet || kind == messageDelete) && len(meta) >= 9 && key != "":
		m.kind = kind
		m.change = backends.Change{
			Key: key, Kind: tier.Set, Version: m.id.version(),
			Operation: uint64(versionIn(meta[1:])), At: storeTime(field("s"), field("u")),
		}
		if kind == messageDelete {
			m.change.Kind = tier.Delete
		}
		if len(meta) > 9 {
			m.change.Note = []byte(meta[9:])
		}
	}
	return m
}

// isForeign reports whether a writer of other rules has written the message.
func (m *Message) isForeign() bool {
	return m.kind == 0 || (m.kind == messageHello || m.kind == messageAnswer) && m.protocol != protocol
}

// isChange reports whether the message is about a key.
func (m *Message) isChange() bool { return m.kind == messageSet || m.kind == messageDelete }

// storeTimeIn reads seconds and microseconds, with a space between.
func storeTimeIn(text string) time.Time {
	seconds, micros, _ := strings.Cut(text, " ")
	return storeTime(seconds, micros)
}
