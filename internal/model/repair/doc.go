// Package repair is a model of one key whose tiers diverged: a write with an unknown
// outcome, whose request may still arrive, its repair, and another process that writes.
//
// The promises are [State.Check]: a repair never replaces newer data; when an event is
// closed, L1 is empty or has the last write of L2, or a message about a newer one is on
// its way, and no request of the operation has an effect any more; and the events opened
// less those closed are those open.
//
// The steps are methods that return the value after the step: of a [Store], of a
// [Process]. [Model] lets them happen in every order within [Bounds], for a [Way] of
// repair and the [Parts] that it follows.
package repair
