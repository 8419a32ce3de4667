package redisbackend

import (
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// reply is an error reply of the server.
type reply struct {
	code    string // its first word, if that is in the lists below, or unlisted
	text    string // what it means; "": not known
	refused bool   // a SET or DEL was not executed
	passes  bool   // a repetition may succeed
	healthy bool   // the server goes on serving other calls
	never   bool   // the server will not execute such a command
}

// refusals are the error replies that Redis gives to a SET, a DEL or a script of ours
// before it executes it, by their first word. A script writes its value last, so an error
// within it leaves none.
var refusals = map[string]reply{
	"ASK":         {text: "the key is being moved to another node, which could not be asked"},
	"BUSY":        {text: "the server is busy with a script"},
	"CLUSTERDOWN": {text: "the cluster is down", passes: true},
	"CROSSSLOT":   {text: "the keys are in different slots", healthy: true},
	"DENIED":      {text: "the server is in protected mode"},
	"LOADING":     {text: "the server is loading its data", passes: true},
	"MASTERDOWN":  {text: "the server has lost its master", passes: true},
	"MISCONF":     {text: "the server cannot persist its data and takes no writes", healthy: true},
	"MOVED":       {text: "the key is on another node, which could not be asked"},
	"NOAUTH":      {text: "the connection is not authenticated"},
	"NOPERM":      {text: "the user lacks the permission", healthy: true, never: true},
	"NOREPLICAS":  {text: "too few replicas are connected", passes: true, healthy: true},
	"NOSCRIPT":    {text: "the server does not have the script", healthy: true},
	"OOM":         {text: "the server is out of memory", healthy: true},
	"READONLY":    {text: "the server is a replica for reading only", passes: true, healthy: true},
	"TRYAGAIN":    {text: "the keys are being moved", passes: true, healthy: true},
	"WRONGPASS":   {text: "the user or the password is wrong"},
	"WRONGTYPE":   {text: "the key holds something other than a string", healthy: true},
}

// generic are the replies that begin with ERR of which the same holds.
var generic = []struct {
	prefix string
	reply
}{
	{"ERR max number of clients reached", reply{text: "the server has too many clients", passes: true}},
	{"ERR string exceeds maximum allowed size", reply{text: "the value is too long for the server", healthy: true}},
	{"ERR Protocol error", reply{text: "the value is too long for the server", healthy: true}},
	{"ERR unknown command", reply{text: "the server does not know the command", healthy: true, never: true}},
	{"ERR The user executing the script", reply{text: "the user lacks the permission for a command of the script", healthy: true, never: true}},
	{"ERR Unknown Redis command called from script", reply{text: "the server does not know a command of the script", healthy: true, never: true}},
	{"ERR Invalid stream ID", reply{text: "the server cannot number messages within an era: it is older than Redis 7", healthy: true, never: true}},
	{"ERR invalid expire time", reply{text: "the server does not take the expiry", healthy: true}},
}

// otherCodes are the first words of other error replies of Redis, Sentinel and
// their relatives. No more is known of them here.
var otherCodes = map[string]bool{
	"BUSYGROUP": true, "BUSYKEY": true, "ERR": true, "EXECABORT": true, "INPROG": true,
	"IOERR": true, "NOGOODSLAVE": true, "NOGROUP": true, "NOMASTERLINK": true, "NOPROTO": true,
	"NOQUORUM": true, "NOTBUSY": true, "REDIRECT": true, "UNBLOCKED": true,
	"UNKILLABLE": true,
}

// unlisted is the code of all other replies. A server may send any word.
const unlisted = "redis_error"

// replyOf returns the server's error reply that err is or wraps. Only its first
// word may be shown, and only if it is listed: the rest may quote the command.
func replyOf(err error) (r reply, ok bool) {
	var redisErr redis.Error
	if !errors.As(err, &redisErr) {
		return reply{}, false
	}
	text := redisErr.Error()
	code, _, _ := strings.Cut(text, " ")
	if r, ok = refusals[code]; ok {
		r.code, r.refused = code, true
		return r, true
	}
	for _, g := range generic {
		if strings.HasPrefix(text, g.prefix) {
			r = g.reply
			r.code, r.refused = code, true
			return r, true
		}
	}
	if !otherCodes[code] {
		code = unlisted
	}
	return reply{code: code}, true
}

func (r reply) cause() cause {
	switch {
	case r.code == unlisted:
		return cause{"the server answered with an error that is not listed", r.code}
	case r.text == "":
		return cause{"the server answered " + r.code, r.code}
	default:
		return cause{"the server answered " + r.code + ": " + r.text, r.code}
	}
}
