package redislog

import (
	"context"
	"crypto/sha1" //nolint:gosec // Redis names scripts so
	_ "embed"
	"encoding/hex"
	"strconv"
	"strings"
)

// The scripts. Each makes its decision and its writes in one step.
var (
	//go:embed lua/set.lua
	setSource string
	//go:embed lua/change.lua
	changeSource string
	//go:embed lua/append.lua
	appendSource string
	//go:embed lua/read.lua
	readSource string
	//go:embed lua/join.lua
	joinSource string
	//go:embed lua/beat.lua
	beatSource string
)

// appendMark is the line in a script that append.lua takes the place of.
const appendMark = "-- APPEND: the message and the version, by append.lua\n"

// Script is a script and the name under which a server keeps it.
type Script struct{ Source, SHA string }

func newScript(source string, length int) *Script {
	source = strings.ReplaceAll(source, appendMark, appendSource)
	source = strings.ReplaceAll(source, "LENGTH", strconv.Itoa(length))
	sum := sha1.Sum([]byte(source)) //nolint:gosec // Redis names scripts so
	return &Script{Source: source, SHA: hex.EncodeToString(sum[:])}
}

// scripts are those of one backend.
type scripts struct{ set, change, read, join, beat *Script }

func newScripts(length int) scripts {
	return scripts{
		set:    newScript(setSource, length),
		change: newScript(changeSource, length),
		read:   newScript(readSource, length),
		join:   newScript(joinSource, length),
		beat:   newScript(beatSource, length),
	}
}

// Call is one execution of a script. Words are the keys, and the arguments behind them.
type Call struct {
	Script *Script
	Keys   int
	Words  []string
}

// MaxWords is how many words a call has at most.
const MaxWords = 17

// Runner executes the scripts in a server: over a client, or one connection of it.
type Runner interface {
	// Run executes a script that may be repeated, by its name, or by its source if the
	// server does not have it. It returns the reply: a string, or an array of such.
	Run(ctx context.Context, call Call) (reply any, err error)
}
