package redisbackend

import (
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// refusals are the error replies that Redis gives to a SET or a DEL before it
// executes it, by their first word, and what they mean.
var refusals = map[string]refusal{
	"ASK":         {text: "the key is being moved to another node, which could not be asked"},
	"BUSY":        {text: "the server is busy with a script"},
	"CLUSTERDOWN": {text: "the cluster is down", passes: true},
	"CROSSSLOT":   {text: "the keys are in different slots"},
	"DENIED":      {text: "the server is in protected mode"},
	"LOADING":     {text: "the server is loading its data", passes: true},
	"MASTERDOWN":  {text: "the server has lost its master", passes: true},
	"MISCONF":     {text: "the server cannot persist its data and takes no writes"},
	"MOVED":       {text: "the key is on another node, which could not be asked"},
	"NOAUTH":      {text: "the connection is not authenticated"},
	"NOPERM":      {text: "the user lacks the permission"},
	"NOREPLICAS":  {text: "too few replicas are connected", passes: true},
	"OOM":         {text: "the server is out of memory"},
	"READONLY":    {text: "the server is a replica for reading only", passes: true},
	"TRYAGAIN":    {text: "the keys are being moved", passes: true},
	"WRONGPASS":   {text: "the user or the password is wrong"},
	"WRONGTYPE":   {text: "the key holds something other than a string"},
}

type refusal struct {
	text   string
	passes bool // a repetition may succeed
}

// known are the replies that begin with ERR of which the same holds.
var known = []struct {
	prefix string
	refusal
}{
	{"ERR max number of clients reached", refusal{text: "the server has too many clients", passes: true}},
	{"ERR string exceeds maximum allowed size", refusal{text: "the value is too long for the server"}},
	{"ERR Protocol error", refusal{text: "the value is too long for the server"}},
	{"ERR unknown command", refusal{text: "the server does not know the command"}},
	{"ERR invalid expire time", refusal{text: "the server does not take the expiry"}},
}

// replyOf returns the first word of the server's error reply that err is or
// wraps, and whether it is a refusal. The rest of a reply is not to be shown: it
// may quote the command.
func replyOf(err error) (code string, r refusal, refused, ok bool) {
	var reply redis.Error
	if !errors.As(err, &reply) {
		return "", refusal{}, false, false
	}
	text := reply.Error()
	code, _, _ = strings.Cut(text, " ")
	if r, refused = refusals[code]; refused {
		return code, r, true, true
	}
	for _, k := range known {
		if strings.HasPrefix(text, k.prefix) {
			return code, k.refusal, true, true
		}
	}
	if !isCode(code) {
		code = "_OTHER"
	}
	return code, refusal{}, false, true
}

// isCode reports whether word is of the kind that begins an error reply. Others
// could be anything.
func isCode(word string) bool {
	for _, c := range word {
		if (c < 'A' || c > 'Z') && c != '_' {
			return false
		}
	}
	return word != "" && len(word) <= 32
}
