package otterbackend

// Tasks runs the maintenance of a Backend.
type Tasks = tasks

// Run runs task.
func (t *Tasks) Run(task func()) { t.run(task) }

// Close waits for the tasks.
func (t *Tasks) Close() { t.close() }

// Parts of the clocks, for tests.
var (
	Alive          = alive
	RoughNow       = roughNow
	CanUseRoughNow = canUseRoughNow
)
