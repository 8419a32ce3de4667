package redisbackend

import (
	"context"
	"crypto/sha1" //nolint:gosec // Redis names scripts so
	_ "embed"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// The scripts. Each makes its decision and its writes in one step.
var (
	//go:embed lua/set.lua
	setSource string
	//go:embed lua/change.lua
	changeSource string
	//go:embed lua/read.lua
	readSource string
	//go:embed lua/join.lua
	joinSource string
	//go:embed lua/beat.lua
	beatSource string
)

// script is a script and the name under which a server keeps it.
type script struct{ source, sha string }

func newScript(source string, length int) *script {
	source = strings.ReplaceAll(source, "LENGTH", strconv.Itoa(length))
	sum := sha1.Sum([]byte(source)) //nolint:gosec // Redis names scripts so
	return &script{source: source, sha: hex.EncodeToString(sum[:])}
}

// scripts are those of one backend.
type scripts struct{ set, change, read, join, beat *script }

func newScripts(length int) scripts {
	return scripts{
		set:    newScript(setSource, length),
		change: newScript(changeSource, length),
		read:   newScript(readSource, length),
		join:   newScript(joinSource, length),
		beat:   newScript(beatSource, length),
	}
}

// noScript reports whether the server does not have the script: nothing was executed.
func noScript(err error) bool {
	var redisErr redis.Error
	return errors.As(err, &redisErr) && strings.HasPrefix(redisErr.Error(), "NOSCRIPT")
}

// processor executes a command: a client, or one connection of it.
type processor interface {
	Process(ctx context.Context, cmd redis.Cmder) error
}

// run executes a script that may be repeated, and returns its reply.
func (s *script) run(ctx context.Context, p processor, keys []string, args ...any) (any, error) {
	reply, err := s.try(ctx, p, "evalsha", s.sha, keys, args)
	if noScript(err) {
		reply, err = s.try(ctx, p, "eval", s.source, keys, args)
	}
	return reply, err
}

func (*script) try(ctx context.Context, p processor, name, what string, keys []string, args []any) (any, error) {
	all := append(make([]any, 0, 3+len(keys)+len(args)), name, what, len(keys))
	for _, key := range keys {
		all = append(all, key)
	}
	cmd := redis.NewCmd(ctx, append(all, args...)...)
	cmd.SetFirstKeyPos(3)
	if err := p.Process(ctx, cmd); err != nil {
		return nil, err
	}
	return cmd.Val(), nil
}
