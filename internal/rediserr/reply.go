package rediserr

import "strings"

// Reply is an error reply of the server.
type Reply struct {
	Code    string // its first word, if that is in the lists below, or Unlisted
	Text    string // its meaning; "": not known
	Refused bool   // a SET, a DEL or a script of ours was not executed
	Passes  bool   // a repetition may succeed
	Healthy bool   // the server goes on serving other calls
	Never   bool   // the server will not execute such a command
}

// refusals are the error replies that Redis gives to a SET, a DEL or a script of ours
// before it executes it, by their first word. A script writes its value last, so an error
// within it leaves none.
var refusals = map[string]Reply{
	"ASK":         {Text: "the key is being moved to another node, which could not be asked"},
	"BUSY":        {Text: "the server is busy with a script"},
	"CLUSTERDOWN": {Text: "the cluster is down", Passes: true},
	"CROSSSLOT":   {Text: "the keys are in different slots", Healthy: true},
	"DENIED":      {Text: "the server is in protected mode"},
	"LOADING":     {Text: "the server is loading its data", Passes: true},
	"MASTERDOWN":  {Text: "the server has lost its master", Passes: true},
	"MISCONF":     {Text: "the server cannot persist its data and takes no writes", Healthy: true},
	"MOVED":       {Text: "the key is on another node, which could not be asked"},
	"NOAUTH":      {Text: "the connection is not authenticated"},
	"NOPERM":      {Text: "the user lacks the permission", Healthy: true, Never: true},
	"NOREPLICAS":  {Text: "too few replicas are connected", Passes: true, Healthy: true},
	"NOSCRIPT":    {Text: "the server does not have the script", Healthy: true},
	"OOM":         {Text: "the server is out of memory", Healthy: true},
	"READONLY":    {Text: "the server is a replica for reading only", Passes: true, Healthy: true},
	"TRYAGAIN":    {Text: "the keys are being moved", Passes: true, Healthy: true},
	"WRONGPASS":   {Text: "the user or the password is wrong"},
	"WRONGTYPE":   {Text: "the key holds something other than a string", Healthy: true},
}

// generic are the replies that begin with ERR of which the same holds.
var generic = []struct {
	prefix string
	Reply
}{
	{"ERR max number of clients reached", Reply{Text: "the server has too many clients", Passes: true}},
	{"ERR string exceeds maximum allowed size", Reply{Text: "the value is too long for the server", Healthy: true}},
	{"ERR Protocol error", Reply{Text: "the value is too long for the server", Healthy: true}},
	{"ERR unknown command", Reply{Text: "the server does not know the command", Healthy: true, Never: true}},
	{"ERR The user executing the script", Reply{Text: "the user lacks the permission for a command of the script", Healthy: true, Never: true}},
	{"ERR Unknown Redis command called from script", Reply{Text: "the server does not know a command of the script", Healthy: true, Never: true}},
	{"ERR Invalid stream ID", Reply{Text: "the server cannot number messages within an era: it is older than Redis 7", Healthy: true, Never: true}},
	{"ERR invalid expire time", Reply{Text: "the server does not take the expiry", Healthy: true}},
}

// otherCodes are the first words of other error replies of Redis, Sentinel and
// their relatives. No more is known of them here.
var otherCodes = map[string]bool{
	"BUSYGROUP": true, "BUSYKEY": true, "ERR": true, "EXECABORT": true, "INPROG": true,
	"IOERR": true, "NOGOODSLAVE": true, "NOGROUP": true, "NOMASTERLINK": true, "NOPROTO": true,
	"NOQUORUM": true, "NOTBUSY": true, "REDIRECT": true, "UNBLOCKED": true,
	"UNKILLABLE": true,
}

// Unlisted is the code of all other replies. A server may send any word.
const Unlisted = "redis_error"

// ReplyOf describes an error reply. Only its first word may be shown, and only if it is
// listed: the rest may quote the command.
func ReplyOf(text string) Reply {
	code, _, _ := strings.Cut(text, " ")
	if r, ok := refusals[code]; ok {
		r.Code, r.Refused = code, true
		return r
	}
	for _, g := range generic {
		if strings.HasPrefix(text, g.prefix) {
			r := g.Reply
			r.Code, r.Refused = code, true
			return r
		}
	}
	if !otherCodes[code] {
		code = Unlisted
	}
	return Reply{Code: code}
}

// Cause describes the reply.
func (r Reply) Cause() Cause {
	switch {
	case r.Code == Unlisted:
		return Cause{"the server answered with an error that is not listed", r.Code}
	case r.Text == "":
		return Cause{"the server answered " + r.Code, r.Code}
	default:
		return Cause{"the server answered " + r.Code + ": " + r.Text, r.Code}
	}
}
