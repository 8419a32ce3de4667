package otterbackend

// Tasks is what runs the upkeep of a Backend.
type Tasks = tasks

// Run runs task.
func (t *Tasks) Run(task func()) { t.run(task) }

// Close waits for the tasks.
func (t *Tasks) Close() { t.close() }

// What the tests need to see of the clocks.
var (
	Alive          = alive
	RoughNow       = roughNow
	CanUseRoughNow = canUseRoughNow
)
