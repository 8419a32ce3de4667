package errtype

// UsedNames returns every name that the tables give on this system.
func UsedNames() []string {
	names := []string{Other, timeout, canceled, "os_error"}
	for _, e := range errnos {
		names = append(names, e.name)
	}
	for _, e := range systemErrnos {
		names = append(names, e.name)
	}
	for _, s := range sentinels {
		names = append(names, s.name)
	}
	for _, d := range described {
		names = append(names, d.name)
	}
	for _, d := range declaredBy {
		names = append(names, d.name)
	}
	return names
}
