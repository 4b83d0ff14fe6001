/* A file system below SQLite of which one call, or all from one on, fail. */
#ifndef TESTS_FAULTY_VFS_H
#define TESTS_FAULTY_VFS_H

#include <sqlite3.h>
#include <stdbool.h>

/* Set while no commit is under way. */
static struct {
	sqlite3_vfs *real;
	long left; /* calls until one fails; negative: none does */
	bool lasting;
	int code;
	long failed;
} fault;

static bool fails(void)
{
	if (fault.left < 0)
		return false;
	if (fault.left > 0) {
		fault.left--;
		return false;
	}
	if (!fault.lasting)
		fault.left = -1;
	fault.failed++;
	return true;
}

struct faulty_file {
	sqlite3_file base;
	sqlite3_file *real; /* behind it in the same block */
};

static sqlite3_file *real_of(sqlite3_file *f)
{
	return ((struct faulty_file *)f)->real;
}

static int faulty_write(sqlite3_file *f, const void *data, int n, sqlite3_int64 at)
{
	if (fails()) {
		/* Half of it gets through. */
		if (n > 1)
			real_of(f)->pMethods->xWrite(real_of(f), data, n / 2, at);
		return fault.code;
	}
	return real_of(f)->pMethods->xWrite(real_of(f), data, n, at);
}

static int faulty_sync(sqlite3_file *f, int flags)
{
	return fails() ? SQLITE_IOERR_FSYNC : real_of(f)->pMethods->xSync(real_of(f), flags);
}

static int faulty_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	return fails() ? SQLITE_IOERR_TRUNCATE : real_of(f)->pMethods->xTruncate(real_of(f), size);
}

static int faulty_read(sqlite3_file *f, void *data, int n, sqlite3_int64 at)
{
	return fails() ? SQLITE_IOERR_READ : real_of(f)->pMethods->xRead(real_of(f), data, n, at);
}

#define PASS(name, parameters, arguments)                                                          \
	static int pass_##name parameters                                                          \
	{                                                                                          \
		return real_of(f)->pMethods->name arguments;                                       \
	}
PASS(xClose, (sqlite3_file * f), (real_of(f)))
PASS(xFileSize, (sqlite3_file * f, sqlite3_int64 *size), (real_of(f), size))
PASS(xLock, (sqlite3_file * f, int level), (real_of(f), level))
PASS(xUnlock, (sqlite3_file * f, int level), (real_of(f), level))
PASS(xCheckReservedLock, (sqlite3_file * f, int *out), (real_of(f), out))
PASS(xFileControl, (sqlite3_file * f, int op, void *arg), (real_of(f), op, arg))
PASS(xSectorSize, (sqlite3_file * f), (real_of(f)))
PASS(xDeviceCharacteristics, (sqlite3_file * f), (real_of(f)))
PASS(xShmMap, (sqlite3_file * f, int region, int size, int extend, void volatile **out),
     (real_of(f), region, size, extend, out))
PASS(xShmLock, (sqlite3_file * f, int offset, int n, int flags), (real_of(f), offset, n, flags))
PASS(xShmUnmap, (sqlite3_file * f, int remove), (real_of(f), remove))

static void pass_xShmBarrier(sqlite3_file *f)
{
	real_of(f)->pMethods->xShmBarrier(real_of(f));
}

static const sqlite3_io_methods faulty_methods = {
	.iVersion = 2,
	.xClose = pass_xClose,
	.xRead = faulty_read,
	.xWrite = faulty_write,
	.xTruncate = faulty_truncate,
	.xSync = faulty_sync,
	.xFileSize = pass_xFileSize,
	.xLock = pass_xLock,
	.xUnlock = pass_xUnlock,
	.xCheckReservedLock = pass_xCheckReservedLock,
	.xFileControl = pass_xFileControl,
	.xSectorSize = pass_xSectorSize,
	.xDeviceCharacteristics = pass_xDeviceCharacteristics,
	.xShmMap = pass_xShmMap,
	.xShmLock = pass_xShmLock,
	.xShmBarrier = pass_xShmBarrier,
	.xShmUnmap = pass_xShmUnmap,
};

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct faulty_file *file = (struct faulty_file *)f;
	int r;

	(void)vfs;
	file->base.pMethods = NULL;
	file->real = (sqlite3_file *)(file + 1);
	if (fails())
		return SQLITE_CANTOPEN;
	r = fault.real->xOpen(fault.real, name, file->real, flags, out);
	if (r == SQLITE_OK)
		file->base.pMethods = &faulty_methods;
	return r;
}

static inline void faults_begin(void)
{
	static sqlite3_vfs vfs;

	fault.real = sqlite3_vfs_find(NULL);
	fault.left = -1;
	vfs = *fault.real;
	vfs.zName = "faulty";
	vfs.pNext = NULL;
	vfs.szOsFile = fault.real->szOsFile + (int)sizeof(struct faulty_file);
	vfs.xOpen = faulty_open;
	sqlite3_vfs_register(&vfs, 1);
}

static inline void faults_end(void)
{
	sqlite3_vfs_unregister(sqlite3_vfs_find("faulty"));
	sqlite3_vfs_register(fault.real, 1);
}

#endif
