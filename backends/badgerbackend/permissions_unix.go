//go:build unix

package badgerbackend

// hasPermissions says that the modes of files keep other users out.
const hasPermissions = true
