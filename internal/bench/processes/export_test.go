package processes

// Uncoherent is the library over the same log, of whose changes it takes no note. It
// shows that the scenarios find stale values.
func Uncoherent() Library { return tiercacheLibrary("tiercache without coherence") }
