// Package badgerbackend keeps entries in a badger store: a second tier on the
// local disk, which survives a restart and needs no server.
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
// [OpenInMemory] keeps everything in memory instead, [New] uses a badger store
// that the caller has opened. A folder belongs to one process at a time.
//
// Two caches on one store read and overwrite each other's values, unless each has
// a [WithKeyPrefix] of its own.
//
// Badger does not survive a full disk: it ends the process. So the store refuses writes
// while there is still room, see [WithMinFreeSpace]; it cannot stop other programs from
// filling the disk. On Unix only the owner of the store can read its files, see
// [WithPermissionCheck].
//
// Badger counts TTLs in whole seconds. The exact expiry is therefore kept in front of
// the value, and Get goes by it; badger gets the next full second, so that its
// compactions drop expired entries. A stored value:
//
//	byte 0     format, 0xC1
//	bytes 1-8  expiry: Unix time in nanoseconds, big endian; 0: never
//	bytes 9-   the value
//
// Keys are stored as they are, behind the prefix if there is one; but a key that begins
// with "!" gets another "!" in front, because badger reserves keys that begin with
// "!badger!".
package badgerbackend
