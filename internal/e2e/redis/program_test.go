package redis_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
)

// programEnv names one of programs: the test program then is that one, and runs no tests.
const programEnv = "TIERCACHE_E2E_PROGRAM"

// programs are for processes of a test. Each gets its setting as JSON.
func programs() map[string]func(ctx context.Context, setting []byte) error {
	return map[string]func(ctx context.Context, setting []byte) error{"adder": runAdder, "caller": runCaller}
}

// runProgram is the main function of such a process.
func runProgram(ctx context.Context, name string, args []string) error {
	run, ok := programs()[name]
	if !ok || len(args) != 1 {
		return fmt.Errorf("no program %q that takes %d arguments", name, len(args))
	}
	return run(ctx, []byte(args[0]))
}

// command returns a process that runs one of programs, and that ctx can kill.
func command(ctx context.Context, name string, setting any) (*exec.Cmd, error) {
	text, err := json.Marshal(setting)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, os.Args[0], string(text)) //nolint:gosec // this program
	cmd.Env = append(os.Environ(), programEnv+"="+name)
	return cmd, nil
}
