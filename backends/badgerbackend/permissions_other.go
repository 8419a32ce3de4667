//go:build !unix

package badgerbackend

// hasPermissions says that the modes of files do not keep other users out: here
// the access lists of the parent folder do, which files inherit.
const hasPermissions = false
