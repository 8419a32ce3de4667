//go:build darwin || freebsd

package badgerbackend

import "golang.org/x/sys/unix"

// freeSpace returns how many bytes this user can still write to the disk of dir.
func freeSpace(dir string) (uint64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return 0, err
	}
	// It is negative on FreeBSD when root has used the space that is reserved for it.
	return uint64(max(0, int64(stat.Bavail))) * uint64(stat.Bsize), nil //nolint:gosec,unconvert // the types differ between systems
}
