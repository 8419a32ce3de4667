package badgerbackend

import "golang.org/x/sys/unix"

// freeSpace returns how many bytes this user can still write to the disk of dir.
func freeSpace(dir string) (uint64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return 0, err
	}
	unit := stat.Frsize
	if unit == 0 { // file systems from before Linux 2.6
		unit = stat.Bsize
	}
	return stat.Bavail * uint64(unit), nil //nolint:gosec // not negative
}
