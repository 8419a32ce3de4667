package backends

// AsVersioned returns b as a [Versioned] if it has the ability, and nil otherwise.
func AsVersioned[V any](b Backend[V]) Versioned[V] {
	return able[Versioned[V]](b, func(a Abilities) bool { return a.Versions })
}

// AsBatcher returns b as a [Batcher] if it has the ability, and nil otherwise.
func AsBatcher[V any](b Backend[V]) Batcher[V] {
	return able[Batcher[V]](b, func(a Abilities) bool { return a.Batches })
}

// AsStamped returns b as a [Stamped] if it has the ability, and nil otherwise.
func AsStamped[V any](b Backend[V]) Stamped[V] {
	return able[Stamped[V]](b, func(a Abilities) bool { return a.Stamps })
}

// AsWalker returns a backend as a [Walker] if it has the ability, and nil otherwise.
func AsWalker(backend any) Walker {
	return able[Walker](backend, func(a Abilities) bool { return a.Walks })
}

// AsWatcher returns a backend as a [Watcher] if it has the ability, and nil otherwise.
func AsWatcher(backend any) Watcher {
	return able[Watcher](backend, func(a Abilities) bool { return a.Log })
}

// AsClocked returns a backend as a [Clocked] if it has the ability, and nil otherwise.
func AsClocked(backend any) Clocked {
	return able[Clocked](backend, func(a Abilities) bool { return a.Deadlines })
}

// able returns backend as an I if it is one and declares the ability.
func able[I any](backend any, declared func(a Abilities) bool) I {
	i, ok := backend.(I)
	if !ok || !declared(DescriptionOf(backend).Abilities) {
		var none I
		return none
	}
	return i
}
