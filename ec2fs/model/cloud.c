#include "ec2fs/model/cloud.h"

#include "ec2fs/model/index.h"
#include "ec2fs/model/rows.h"
#include "ec2fs/util/memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define MAX_WATCHERS 4

/* What is committed together. Counted: each change that waits for it holds one reference. */
struct batch {
	struct view
		view; /* everything staged; its base is the batch before, until that is published */
	unsigned references;
	bool done;
	int result;
	struct ec2fs_error error;
};

struct cloud {
	struct store *store;
	struct cloud_env env;
	pthread_rwlock_t index_lock;
	struct index *index;    /* guarded by index_lock */
	pthread_mutex_t writer; /* guards all below */
	pthread_cond_t work;    /* the committing thread: there is something, or the end */
	pthread_cond_t answer;  /* the changes: a batch is done */
	struct batch *pending;  /* what the next commit takes */
	uint64_t next_number, stored_next_number;
	uint64_t revision; /* the committing thread's own */
	bool ending;
	pthread_t committer;
	struct {
		cloud_watch_fn *fn;
		void *context;
	} watchers[MAX_WATCHERS];
	size_t watcher_count;
};

static int64_t system_now(void *context)
{
	struct timespec t;

	(void)context;
	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void system_random(void *context, void *out, size_t len)
{
	(void)context;
	while (len) {
		ssize_t n = getrandom(out, len, 0);

		if (n < 0)
			continue;
		out = (char *)out + n;
		len -= (size_t)n;
	}
}

int64_t cloud_now(struct cloud *c)
{
	return c->env.now(c->env.context);
}

void cloud_random(struct cloud *c, void *out, size_t len)
{
	c->env.random(c->env.context, out, len);
}

const char *cloud_uuid(struct cloud *c)
{
	return store_uuid(c->store);
}

const struct index *cloud_index(const struct cloud *c)
{
	return c->index;
}

uint64_t cloud_new_number(struct cloud *c)
{
	return c->next_number++;
}

int64_t cloud_children_mtime(struct cloud *c, uint64_t parent, enum kind kind)
{
	return index_children_mtime(c->index, parent, kind);
}

void cloud_watch(struct cloud *c, cloud_watch_fn *fn, void *context)
{
	pthread_mutex_lock(&c->writer);
	if (c->watcher_count == MAX_WATCHERS)
		abort();
	c->watchers[c->watcher_count].fn = fn;
	c->watchers[c->watcher_count++].context = context;
	pthread_mutex_unlock(&c->writer);
}

static struct batch *batch_new(struct cloud *c, const struct view *base)
{
	struct batch *b = xnew(struct batch);

	b->view.cloud = c;
	b->view.base = base;
	b->references = 1;
	return b;
}

static void batch_unref(struct batch *b)
{
	if (--b->references)
		return;
	view_end(&b->view);
	free(b);
}

struct view cloud_read(struct cloud *c)
{
	pthread_rwlock_rdlock(&c->index_lock);
	return (struct view){.cloud = c};
}

void cloud_read_end(struct cloud *c)
{
	pthread_rwlock_unlock(&c->index_lock);
}

static struct view change_view(struct cloud *c, const struct actor *who)
{
	return (struct view){
		.cloud = c,
		.base = &c->pending->view,
		.now = cloud_now(c),
		.uid = who ? who->uid : 0,
		.gid = who ? who->gid : 0,
		.prepared = who ? who->prepared : NULL,
		.copies = who && who->copies,
	};
}

int cloud_try(struct cloud *c, const struct actor *who, change_fn *fn, void *context,
	      struct ec2fs_error *error)
{
	struct view v;
	uint64_t number;
	int r;

	pthread_mutex_lock(&c->writer);
	number = c->next_number;
	v = change_view(c, who);
	v.trial = true;
	pthread_rwlock_rdlock(&c->index_lock);
	r = fn(&v, context, error);
	pthread_rwlock_unlock(&c->index_lock);
	c->next_number = number;
	view_end(&v);
	pthread_mutex_unlock(&c->writer);
	return r;
}

/* Moves what a change staged into the batch. */
static void merge(struct batch *b, struct view *v)
{
	for (size_t i = 0; i < v->staged_count; i++)
		view_stage(&b->view, v->staged[i]);
	v->staged_count = 0;
	view_end(v);
}

int cloud_change(struct cloud *c, const struct actor *who, change_fn *fn, void *context,
		 struct ec2fs_error *error)
{
	struct batch *b;
	struct view v;
	uint64_t number;
	int r;

	pthread_mutex_lock(&c->writer);
	number = c->next_number;
	v = change_view(c, who);
	pthread_rwlock_rdlock(&c->index_lock);
	r = fn(&v, context, error);
	pthread_rwlock_unlock(&c->index_lock);
	if (r < 0 || !v.staged_count) {
		c->next_number = number;
		view_end(&v);
		pthread_mutex_unlock(&c->writer);
		return r;
	}
	b = c->pending;
	merge(b, &v);
	b->references++;
	pthread_cond_signal(&c->work);
	while (!b->done)
		pthread_cond_wait(&c->answer, &c->writer);
	r = b->result;
	if (r < 0 && error)
		*error = b->error;
	batch_unref(b);
	pthread_mutex_unlock(&c->writer);
	return r;
}

/* Tells the waiting changes; c->writer is held. */
static void finish(struct cloud *c, struct batch *b, int result, const struct ec2fs_error *error)
{
	b->result = result;
	b->error = *error;
	b->done = true;
	pthread_cond_broadcast(&c->answer);
}

static void publish(struct cloud *c, struct batch *b, struct cloud_event *events)
{
	pthread_rwlock_wrlock(&c->index_lock);
	for (size_t i = 0; i < b->view.staged_count; i++) {
		struct resource *r = b->view.staged[i];

		events[i].was = index_publish(c->index, r);
		events[i].is = r->deleted ? NULL : r;
	}
	pthread_rwlock_unlock(&c->index_lock);
}

static int commit(struct cloud *c, struct batch *b, uint64_t next_number, struct ec2fs_error *error)
{
	struct rows rows = {0};
	int r;

	/* Only this thread publishes, so what is published stands still here without the lock. */
	for (size_t i = 0; i < b->view.staged_count; i++)
		rows_add_change(&rows, index_get(c->index, b->view.staged[i]->number),
				b->view.staged[i]);
	if (next_number != c->stored_next_number)
		rows_add_next_number(&rows, next_number);
	r = rows.count
		    ? store_commit(c->store, c->revision, rows.ops, rows.count, &c->revision, error)
		    : 0;
	if (r == 0)
		c->stored_next_number = next_number;
	rows_free(&rows);
	return r;
}

static void *committer(void *context)
{
	struct cloud *c = context;

	pthread_mutex_lock(&c->writer);
	for (;;) {
		struct ec2fs_error error = {0};
		struct cloud_event *events;
		struct batch *b = c->pending;
		uint64_t next_number;
		size_t count;
		int r;

		if (!b->view.staged_count) {
			if (c->ending)
				break;
			pthread_cond_wait(&c->work, &c->writer);
			continue;
		}
		c->pending = batch_new(c, &b->view);
		next_number = c->next_number;
		pthread_mutex_unlock(&c->writer);
		r = commit(c, b, next_number, &error);
		pthread_mutex_lock(&c->writer);
		if (r < 0) {
			/* What was staged upon it meanwhile stands on nothing: refused too. */
			struct batch *upon = c->pending;

			c->pending = batch_new(c, NULL);
			finish(c, b, r, &error);
			finish(c, upon, r, &error);
			batch_unref(b);
			batch_unref(upon);
			continue;
		}
		count = b->view.staged_count;
		events = xcalloc(count, sizeof(*events));
		publish(c, b, events);
		c->pending->view.base = NULL;
		pthread_mutex_unlock(&c->writer);
		for (size_t i = 0; i < c->watcher_count; i++)
			c->watchers[i].fn(c->watchers[i].context, events, count);
		for (size_t i = 0; i < count; i++)
			resource_unref((struct resource *)events[i].was);
		free(events);
		pthread_mutex_lock(&c->writer);
		finish(c, b, 0, &error);
		batch_unref(b);
	}
	pthread_mutex_unlock(&c->writer);
	return NULL;
}

struct load {
	struct cloud *cloud;
	struct resource *r; /* the one whose rows are coming */
};

static void load_done(struct load *load)
{
	if (load->r) {
		resource_unref(index_publish(load->cloud->index, load->r));
		resource_unref(load->r);
		load->r = NULL;
	}
}

static int load_row(void *context, const struct store_row *row)
{
	struct load *load = context;

	if (rows_next_number(row, &load->cloud->next_number))
		return 0;
	if (!load->r || load->r->number != row->resource) {
		load_done(load);
		load->r = rows_begin_resource(row->resource);
	}
	return rows_read(load->r, row);
}

static int load_all(struct cloud *c, struct ec2fs_error *error)
{
	struct load load = {.cloud = c};
	int r;

	r = store_list(c->store, load_row, &load, error);
	if (r == -EBADMSG)
		ec2fs_fail(error, EC2_InternalError,
			   "the state has a row that this version does not understand");
	if (r < 0) {
		resource_unref(load.r);
		return r;
	}
	load_done(&load);
	if (!index_get(c->index, ROOT_NUMBER)) {
		struct resource *root = resource_new(ROOT_NUMBER, ROOT_NUMBER, KIND_ROOT, "", "");

		root->mode = 0755;
		index_publish(c->index, root);
		resource_unref(root);
	}
	return 0;
}

int cloud_open(struct store *store, const struct cloud_env *env, struct cloud **ret,
	       struct ec2fs_error *error)
{
	struct cloud *c = xnew(struct cloud);
	int r;

	c->store = store;
	c->env = env ? *env : (struct cloud_env){.now = system_now, .random = system_random};
	c->index = index_new();
	c->next_number = 1;
	c->revision = store_revision(store);
	pthread_rwlock_init(&c->index_lock, NULL);
	pthread_mutex_init(&c->writer, NULL);
	pthread_cond_init(&c->work, NULL);
	pthread_cond_init(&c->answer, NULL);
	c->pending = batch_new(c, NULL);
	r = load_all(c, error);
	c->stored_next_number = c->next_number;
	if (r == 0 && pthread_create(&c->committer, NULL, committer, c) != 0)
		r = ec2fs_fail(error, EC2_InternalError, "no thread for commits can be started");
	if (r < 0) {
		batch_unref(c->pending);
		index_free(c->index);
		free(c);
		return r;
	}
	*ret = c;
	return 0;
}

void cloud_close(struct cloud *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->writer);
	c->ending = true;
	pthread_cond_signal(&c->work);
	pthread_mutex_unlock(&c->writer);
	pthread_join(c->committer, NULL);
	batch_unref(c->pending);
	index_free(c->index);
	pthread_rwlock_destroy(&c->index_lock);
	pthread_mutex_destroy(&c->writer);
	pthread_cond_destroy(&c->work);
	pthread_cond_destroy(&c->answer);
	free(c);
}
