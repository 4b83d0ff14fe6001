/* Contents: what is written to files, tried and taken. */
#include "ec2fs/tree/internal.h"

#include "ec2fs/text/name.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <stdlib.h>
#include <string.h>

/* Whose `error` tells of the node; of a tag, of a link: its directory's resource. */
static uint64_t teller(const struct node *n)
{
	return kind_ops(n->r->kind)->file ? n->r->parent : n->r->number;
}

int tree_refuse(struct tree *t, tree_id id, const char *name, const struct tree_caller *who,
		const void *wrote, size_t len, const struct ec2fs_error *error)
{
	struct strbuf path cleanup_strbuf = STRBUF_INIT;
	struct view v = cloud_read(t->cloud);
	uint64_t number = ROOT_NUMBER;
	bool secret = false;
	struct node n;

	if (node_get(&v, id, &n) == 0) {
		node_path(&v, &n, &path);
		number = teller(&n);
		secret = n.entry && (n.entry->flags & ENTRY_QUIET);
	}
	cloud_read_end(t->cloud);
	if (name)
		strbuf_addf(&path, "%s%s", path.len ? "/" : "", name);
	if (secret && wrote) {
		wrote = "(not shown)";
		len = strlen(wrote);
	}
	refusals_add(t->refusals, cloud_now(t->cloud), who->uid, number, strbuf_str(&path), wrote,
		     len, error);
	tree_tell_shown(t, node_id(number, "error"));
	tree_tell(t, TREE_CHANGED, node_id(ROOT_NUMBER, "errors"), 0, NULL);
	return -error->number;
}

void tree_accept(struct tree *t, tree_id id)
{
	struct view v = cloud_read(t->cloud);
	uint64_t number = ROOT_NUMBER;
	struct node n;

	if (node_get(&v, id, &n) == 0)
		number = teller(&n);
	cloud_read_end(t->cloud);
	if (refusals_clear(t->refusals, number))
		tree_tell_shown(t, node_id(number, "error"));
}

struct storing {
	tree_id id;
	const char *text; /* NUL-terminated */
	size_t len;
	bool unset;
	bool brings_time;
};

static int read_only(struct ec2fs_error *error, const struct entry *e)
{
	return ec2fs_fail(error, EC2_UnauthorizedOperation,
			  "%s tells what is; it cannot be written", e->name);
}

/* A change_fn: one write, taken or refused by the entry's store function. Commits nothing itself.
 */
static int apply(struct view *v, void *context, struct ec2fs_error *error)
{
	struct storing *s = context;
	struct resource *staged;
	struct node n;
	int r = node_need(v, s->id, &n, error);

	if (r < 0)
		return r;
	if (!n.entry)
		return ec2fs_fail_errno(error, EISDIR, EC2_InvalidParameterValue,
					"this is a directory");
	if (s->unset && !n.entry->unset)
		return ec2fs_fail(error, EC2_OperationNotPermitted,
				  "%s always has a value; write another one instead",
				  n.entry->name);
	if (!s->unset && !n.entry->store)
		return read_only(error, n.entry);
	staged = view_edit(v, n.r);
	r = s->unset ? n.entry->unset(v, staged, error)
		     : n.entry->store(v, staged, s->text, s->len, error);
	if (r == 0 && s->brings_time)
		dir_times_hold(v, n.r);
	return r;
}

/*
 * The text of a scalar: one line, its newline taken away. -EAGAIN when more is to come; 0 and *ret
 * (to be freed) otherwise.
 */
static int scalar_text(const struct entry *e, const char *data, size_t len, bool whole, char **ret,
		       struct ec2fs_error *error)
{
	bool ended = len && data[len - 1] == '\n';
	size_t n = ended ? len - 1 : len;
	int r;

	if (memchr(data, '\n', n))
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "%s holds one value; these are several lines", e->name);
	/* Spaces at the end are nobody's intention. */
	while (n && (data[n - 1] == ' ' || data[n - 1] == '\t' || data[n - 1] == '\r'))
		n--;
	r = text_check(data, n, false, error);
	if (r < 0)
		return r;
	if (!whole && !ended)
		return ec2fs_fail_errno(error, EAGAIN, EC2_InvalidParameterValue,
					"the line has no end yet");
	*ret = xasprintf("%.*s", (int)n, data);
	return 0;
}

/* What is asked of an entry, apart from its store function. */
struct entry_facts {
	const struct entry *entry;
	size_t max;
	bool scalar;
};

static int entry_facts(struct tree *t, tree_id id, struct entry_facts *ret,
		       struct ec2fs_error *error)
{
	struct view v = cloud_read(t->cloud);
	struct node n;
	int r = node_need(&v, id, &n, error);

	cloud_read_end(t->cloud);
	if (r < 0)
		return r;
	if (!n.entry)
		return ec2fs_fail_errno(error, EISDIR, EC2_InvalidParameterValue,
					"this is a directory");
	ret->entry = n.entry;
	ret->max = n.entry->max ? n.entry->max : SCALAR_MAX;
	ret->scalar = !(n.entry->flags & TREE_DOCUMENT);
	return 0;
}

/* The text as the store function wants it. */
static int prepare_text(const struct entry_facts *f, const void *data, size_t len, bool whole,
			char **ret, size_t *ret_len, struct ec2fs_error *error)
{
	int r;

	if (len > f->max)
		return ec2fs_fail(error, EC2_ValueTooLong,
				  "%zu bytes are too many: %s takes at most %zu", len,
				  f->entry->name, f->max);
	if (f->scalar) {
		r = scalar_text(f->entry, data, len, whole, ret, error);
		*ret_len = r == 0 ? strlen(*ret) : 0;
		return r;
	}
	*ret = malloc(len + 1);
	if (!*ret)
		return ec2fs_fail_errno(error, ENOMEM, EC2_InternalError, "out of memory");
	memcpy(*ret, data, len);
	(*ret)[len] = '\0';
	*ret_len = len;
	return 0;
}

/* Makes what the store function needs and must not make under the writer lock. */
static int prepare(struct tree *t, const struct entry *e, tree_id id, const char *text, void **ret,
		   struct ec2fs_error *error)
{
	struct view v;
	struct resource *r __attribute__((cleanup(cleanup_resourcep))) = NULL;
	struct node n;

	if (!e->extra || !e->extra->prepare)
		return 0;
	v = cloud_read(t->cloud);
	if (node_get(&v, id, &n) == 0)
		r = resource_ref((struct resource *)n.r);
	cloud_read_end(t->cloud);
	return r ? e->extra->prepare(r, text, ret, error) : 0;
}

int tree_check(struct tree *t, tree_id id, const struct tree_caller *who, const void *data,
	       size_t len, bool whole, struct ec2fs_error *error)
{
	struct actor actor = actor_of(who);
	cleanup_free char *text = NULL;
	cleanup_free void *prepared = NULL;
	struct entry_facts facts;
	struct ec2fs_error own;
	struct storing s = {.id = id};
	size_t complete = len;
	int r;

	if (!error)
		error = &own;
	r = entry_facts(t, id, &facts, error);
	if (r < 0)
		return r;
	if (!whole && !facts.scalar)
		while (complete && ((const char *)data)[complete - 1] != '\n')
			complete--;
	r = prepare_text(&facts, data, facts.scalar ? len : complete, whole, &text, &s.len, error);
	if (r < 0)
		return r;
	s.text = text;
	/* For a single value that may be long work (a key is generated): the write stores it. */
	if (!facts.scalar)
		r = prepare(t, facts.entry, id, text, &prepared, error);
	if (r < 0)
		return r;
	actor.prepared = prepared;
	/* A text of lines is judged line by line while it comes; other documents are judged whole.
	 */
	if (s.len || whole || facts.scalar)
		r = cloud_try(t->cloud, &actor, apply, &s, error);
	if (r == 0 && !whole && complete < len)
		return ec2fs_fail_errno(error, EAGAIN, EC2_InvalidParameterValue,
					"the last line has no end yet");
	return r;
}

int tree_store(struct tree *t, tree_id id, const struct tree_caller *who, const void *data,
	       size_t len)
{
	struct actor actor = actor_of(who);
	cleanup_free char *text = NULL;
	cleanup_free void *prepared = NULL;
	struct entry_facts facts;
	struct ec2fs_error error = {0};
	struct storing s = {.id = id, .brings_time = who->brings_time};
	int r;

	r = entry_facts(t, id, &facts, &error);
	if (r == 0)
		r = prepare_text(&facts, data, len, true, &text, &s.len, &error);
	if (r == 0)
		r = prepare(t, facts.entry, id, text, &prepared, &error);
	if (r == 0) {
		s.text = text;
		actor.prepared = prepared;
		r = cloud_change(t->cloud, &actor, apply, &s, &error);
	}
	if (r < 0)
		return tree_refuse(t, id, NULL, who, data, len, &error);
	tree_accept(t, id);
	return 0;
}

int tree_unset(struct tree *t, tree_id id, const struct tree_caller *who)
{
	struct actor actor = actor_of(who);
	struct ec2fs_error error = {0};
	struct storing s = {.id = id, .unset = true};
	int r = cloud_change(t->cloud, &actor, apply, &s, &error);

	if (r < 0)
		return tree_refuse(t, id, NULL, who, NULL, 0, &error);
	tree_accept(t, id);
	return 0;
}

struct meta {
	tree_id id;
	const struct tree_meta *meta;
};

static void set_own(struct resource *r, const struct tree_meta *m)
{
	if (m->set & TREE_SET_MODE)
		r->mode = m->mode & 07777;
	if (m->set & TREE_SET_UID)
		r->uid = m->uid;
	if (m->set & TREE_SET_GID)
		r->gid = m->gid;
	if (m->set & TREE_SET_MTIME)
		r->mtime = m->mtime;
}

static int apply_meta(struct view *v, void *context, struct ec2fs_error *error)
{
	const struct meta *m = context;
	struct resource *staged;
	struct field *f;
	struct node n;
	int r = node_need(v, m->id, &n, error);

	if (r < 0)
		return r;
	if (n.entry && (n.entry->flags & ENTRY_UNLISTED))
		return ec2fs_fail(error, EC2_OperationNotPermitted, "%s is as it is",
				  n.entry->name);
	/* A link's owner and time are those of what it stands for. */
	if (n.links)
		return 0;
	staged = view_edit(v, n.r);
	if (!n.entry) {
		set_own(staged, m->meta);
		if (m->meta->set & TREE_SET_MTIME)
			dir_time_is_set(v, staged, DIR_TIME_SET);
		return 0;
	}
	f = resource_field_make(staged, n.entry->name);
	if (m->meta->set & TREE_SET_MODE) {
		mode_t mode = m->meta->mode & 07777;

		/* What nobody can write says so, whatever a copying tool wishes. */
		if (S_ISREG(n.entry->mode) && !n.entry->store && !(n.entry->flags & TREE_BLOB))
			mode &= ~(mode_t)0222;
		f->mode = (int32_t)mode;
	}
	if (m->meta->set & TREE_SET_UID)
		f->uid = m->meta->uid;
	if (m->meta->set & TREE_SET_GID)
		f->gid = m->meta->gid;
	if (m->meta->set & TREE_SET_MTIME)
		f->mtime = m->meta->mtime;
	if ((m->meta->set & TREE_SET_MTIME) && n.dir)
		dir_time_is_set(v, staged, n.entry->name);
	return 0;
}

int tree_set_meta(struct tree *t, tree_id id, const struct tree_caller *who,
		  const struct tree_meta *meta)
{
	struct actor actor = actor_of(who);
	struct ec2fs_error error = {0};
	struct meta m = {id, meta};
	int r = cloud_change(t->cloud, &actor, apply_meta, &m, &error);

	if (r == 0 && (meta->set & TREE_SET_MTIME))
		shown_time_set(t->shown_times, id);
	return r < 0 ? tree_refuse(t, id, NULL, who, NULL, 0, &error) : 0;
}
