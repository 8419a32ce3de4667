// Package badgerbackend keeps entries in a badger store: an L2 on the local disk, which survives a
// restart and needs no server.
//
//	store, err := badgerbackend.Open("/var/cache/shop")
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//
//	l2, err := backends.WithCodec(store, backends.JSON[User]())
//	if err != nil {
//		return err
//	}
//	err = l2.Set(ctx, "user:1", backends.Entry[User]{
//		Value:     user,
//		ExpiresAt: time.Now().Add(time.Hour),
//	})
//
// [OpenInMemory] keeps everything in memory instead; [New] uses a badger store that the caller has
// opened. A folder belongs to one process at a time.
//
// Two caches on one store read and overwrite each other's values, unless each has
// a [WithKeyPrefix] of its own.
//
// Badger ends the process when the disk is full. So the backend refuses writes while there is still
// some room, see [WithMinFreeSpace]; it cannot stop other programs from filling the disk. On Unix
// only the owner of the store can read its files, see [WithPermissionCheck].
//
// Each change has a version, and conditions, source versions and deadlines are decided in the
// store, see [Backend.Write]. The clock of deadlines is that of this machine. All Backends over one
// store share one order of changes; changes by other writers are not in it. Versions go on rising
// after a restart: the key "!tiercache:version" holds the first one that is not reserved yet. The
// key stays when all entries are deleted.
//
// The store remembers the version of a deleted or expired entry for [backends.DefaultKeep], or for
// as long as [backends.Write.Keep] says.
//
// Badger counts TTLs in whole seconds. So the exact expiry is kept in front of the value, for Get.
// Badger gets the next full second after the time for which the versions are remembered, so that
// its compactions drop them. A stored value:
//
//	byte 0       magic, 0xC1
//	byte 1       format, 0x82
//	byte 2       flags: 1 for a deletion, 2 for a note
//	byte 3       codec; 0: unknown
//	bytes 4-11   expiry: Unix time in nanoseconds; 0: never
//	bytes 12-19  version
//	bytes 20-27  source version; 0: none
//	bytes 28-35  operation; 0: unknown
//	             the length of the note and the note, if there is one
//	             the value
//
// Numbers are big endian. Values of earlier releases, which have the expiry in bytes 1
// to 8 and the value behind it, are read; their version is 0, so no condition holds
// for them until they are replaced.
//
// Keys are stored as they are, behind the prefix if there is one; but a key that begins
// with "!" gets another "!" in front, because badger reserves keys that begin with
// "!badger!".
package badgerbackend
