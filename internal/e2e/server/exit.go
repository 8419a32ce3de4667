package server

// ExitCode waits until the process has ended and returns its status: -1 when a
// signal has ended it.
func (p *Process) ExitCode() int {
	<-p.exited
	return p.cmd.ProcessState.ExitCode()
}
