#include "ec2fs/fs/poll.h"

#include "ec2fs/fs/open_file.h"
#include "ec2fs/util/memory.h"

#include <poll.h>
#include <stdlib.h>

#define ALWAYS (POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM)

struct polled {
	uint64_t handle;
	tree_id id;
	struct fuse_pollhandle *kernel; /* NULL: nobody sleeps */
	bool changed;
};

struct polls {
	pthread_mutex_t lock;
	struct polled *all;
	size_t count, capacity;
};

struct polls *polls_new(void)
{
	struct polls *p = xnew(struct polls);

	pthread_mutex_init(&p->lock, NULL);
	return p;
}

void polls_free(struct polls *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->count; i++)
		if (p->all[i].kernel)
			fuse_pollhandle_destroy(p->all[i].kernel);
	free(p->all);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void poll_changed(struct fs *fs, tree_id id)
{
	struct polls *p = fs->polls;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->count; i++) {
		struct polled *x = &p->all[i];

		if (x->id != id)
			continue;
		x->changed = true;
		if (x->kernel) {
			/* A message to the kernel, which takes none of its locks that we could wait
			 * for. */
			fuse_lowlevel_notify_poll(x->kernel);
			fuse_pollhandle_destroy(x->kernel);
			x->kernel = NULL;
		}
	}
	pthread_mutex_unlock(&p->lock);
}

void poll_forget(struct fs *fs, uint64_t handle)
{
	struct polls *p = fs->polls;

	pthread_mutex_lock(&p->lock);
	for (size_t i = p->count; i-- > 0;) {
		if (p->all[i].handle != handle)
			continue;
		if (p->all[i].kernel)
			fuse_pollhandle_destroy(p->all[i].kernel);
		p->all[i] = p->all[--p->count];
	}
	pthread_mutex_unlock(&p->lock);
}

/* Under the lock. */
static struct polled *polled_of(struct polls *p, uint64_t handle, tree_id id)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->all[i].handle == handle)
			return &p->all[i];
	array_reserve(p->all, p->count, p->capacity);
	p->all[p->count] = (struct polled){.handle = handle, .id = id};
	return &p->all[p->count++];
}

void fs_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *ph)
{
	struct fs *fs = fs_of(req);
	struct polls *p = fs->polls;
	struct polled *x;
	unsigned events = ALWAYS;

	(void)ino;
	pthread_mutex_lock(&p->lock);
	x = polled_of(p, fi->fh, open_file_id(fi->fh));
	if (ph) {
		if (x->kernel)
			fuse_pollhandle_destroy(x->kernel);
		x->kernel = ph;
	}
	if (x->changed)
		events |= POLLPRI | POLLERR;
	x->changed = false;
	pthread_mutex_unlock(&p->lock);
	fuse_reply_poll(req, events);
}
