/* A VPC's ruleset: changes are staged in memory (ruleset_state.c), compared, and sent as one batch.
 */
#include "netfw/ruleset_state.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

struct ruleset *ruleset_new(int nl_fd)
{
	struct ruleset *r = xnew(struct ruleset);

	r->fd = nl_fd;
	if (nl_fd < 0)
		return r;
	apply_prepare_socket(nl_fd);
	/* A packet under way when these rules replace those of another daemon may bear a number of
	 * that one's: here it should mean nothing. */
	if (getrandom(&r->last_class, sizeof(r->last_class), GRND_NONBLOCK) < 0)
		r->last_class = (uint32_t)getpid() << 12;
	r->last_class &= INT32_MAX;
	return r;
}

void ruleset_free(struct ruleset *r)
{
	if (!r)
		return;
	state_free(r);
	batch_free(&r->batch);
	if (r->fd >= 0)
		close(r->fd);
	free(r);
}

void ruleset_log(struct ruleset *r, uint32_t group)
{
	r->log_group = group;
}

void ruleset_begin(struct ruleset *r, bool whole)
{
	assert(!r->open);
	r->open = true;
	r->whole = whole;
}

void ruleset_vpc(struct ruleset *r, const struct netfw_vpc *vpc)
{
	assert(r->open);
	state_stage_vpc(r, vpc);
}

void ruleset_group(struct ruleset *r, const struct netfw_group *group)
{
	assert(r->open);
	state_stage_group(r, group->id, group);
}

void ruleset_drop_group(struct ruleset *r, const char *id)
{
	assert(r->open);
	state_stage_group(r, id, NULL);
}

void ruleset_interface(struct ruleset *r, const struct netfw_interface *interface)
{
	assert(r->open);
	state_stage_interface(r, interface->id, interface);
}

void ruleset_drop_interface(struct ruleset *r, const char *id)
{
	assert(r->open);
	state_stage_interface(r, id, NULL);
}

void ruleset_abort(struct ruleset *r)
{
	state_roll_back(r);
}

/* Interfaces are compiled when they are needed: these live as long as the difference. */
struct compiled {
	struct ir **irs;
	size_t count, capacity;
};

static const struct ir *compile_version(struct compiled *c, const struct interface_version *v)
{
	if (!v)
		return NULL;
	array_reserve(c->irs, c->count, c->capacity);
	return c->irs[c->count++] = compile_interface(&v->description, v->class->number);
}

static void free_compiled(struct compiled *c)
{
	for (size_t i = 0; i < c->count; i++)
		ir_free(c->irs[i]);
	free(c->irs);
	*c = (struct compiled){0};
}

static void add_whole(const struct ruleset *r, struct ir_view *v, struct compiled *compiled)
{
	struct interface *i;
	struct group *g;
	struct class *c;

	view_add(v, (r->next_vpc ? r->next_vpc : r->vpc)->ir);
	table_each (g, &r->groups) {
		const struct group_version *version = g->is_staged ? g->next : g->current;

		if (version)
			view_add(v, version->ir);
	}
	table_each (c, &r->classes) {
		const struct ir *ir = c->has_next ? c->next : c->current;

		if (ir)
			view_add(v, ir);
	}
	table_each (i, &r->interfaces) {
		const struct ir *ir =
			compile_version(compiled, i->is_staged ? i->next : i->current);

		if (ir)
			view_add(v, ir);
	}
}

static void add_change(const struct ruleset *r, struct difference *d, struct compiled *compiled)
{
	if (r->next_vpc)
		difference_add(d, r->vpc ? r->vpc->ir : NULL, r->next_vpc->ir);
	for (size_t i = 0; i < r->touched_group_count; i++) {
		const struct group *g = r->touched_groups[i];

		if (g->is_staged)
			difference_add(d, g->current ? g->current->ir : NULL,
				       g->next ? g->next->ir : NULL);
	}
	for (size_t i = 0; i < r->touched_class_count; i++)
		if (r->touched_classes[i]->has_next)
			difference_add(d, r->touched_classes[i]->current,
				       r->touched_classes[i]->next);
	for (size_t i = 0; i < r->staged_interface_count; i++) {
		const struct interface *n = r->staged_interfaces[i];
		const struct ir *old = compile_version(compiled, n->current);

		difference_add(d, old, compile_version(compiled, n->next));
	}
}

/* A transaction adds one; 0 is never used. */
static uint32_t next_generation(uint32_t generation)
{
	return generation + 1 ? generation + 1 : 1;
}

static int send_difference(struct ruleset *r, const struct difference *d, struct ec2fs_error *error)
{
	int result;

	apply_build(&r->batch, d, r->generation);
	result = apply_send(r->fd, &r->batch, error);
	r->generation = result < 0 ? 0 : next_generation(r->generation);
	return result;
}

/* Refusals that a batch of everything would meet as well. */
static bool hopeless(int result)
{
	return result == -ENOMEM || result == -ENOBUFS || result == -EPERM || result == -EMSGSIZE;
}

/* All that is to be there, in the place of whatever is: that is taken away, or, when the kernel
 * refuses that, the tables are. */
static int replace(struct ruleset *r, const struct ir *existing, struct ec2fs_error *error)
{
	struct difference d = {0};
	struct compiled compiled = {0};
	int result;

	add_whole(r, &d.add, &compiled);
	if (existing)
		difference_replace(&d, existing);
	else
		d.kind = DIFFERENCE_ANEW;
	result = send_difference(r, &d, error);
	difference_free(&d);
	free_compiled(&compiled);
	return result;
}

#define ATTEMPTS 5

static int send_whole(struct ruleset *r, struct ec2fs_error *error)
{
	bool anew = false;
	int result = 0;

	r->replacements++;
	for (int i = 0; i < ATTEMPTS; i++) {
		cleanup_ir struct ir *existing = NULL;

		result = apply_generation(r->fd, &r->generation, error);
		if (!result && !anew)
			result = apply_existing(r->fd, &existing, error);
		if (result < 0)
			break;
		result = replace(r, existing, error);
		/* Somebody else in the namespace may change his tables between the two. */
		if (result == -ERESTART)
			continue;
		if (result == 0 || anew || hopeless(result))
			break;
		anew = true;
	}
	return result;
}

static int send_change(struct ruleset *r, struct ec2fs_error *error)
{
	struct difference d = {0};
	struct compiled compiled = {0};
	int result = 0;

	add_change(r, &d, &compiled);
	if (!difference_empty(&d))
		result = send_difference(r, &d, error);
	difference_free(&d);
	free_compiled(&compiled);
	return result;
}

int ruleset_commit(struct ruleset *r, struct ec2fs_error *error)
{
	struct ec2fs_error ours = {0};
	int result;

	assert(r->open);
	if (r->whole)
		state_stage_rest(r);
	result = state_prepare(r, &ours);
	if (!result && r->generation) {
		result = send_change(r, &ours);
		/* What is there is not what was applied, whoever changed it: all anew. */
		if (result < 0 && !hopeless(result))
			result = send_whole(r, &ours);
	} else if (!result) {
		result = send_whole(r, &ours);
	}
	if (result < 0) {
		state_roll_back(r);
		if (error)
			*error = ours;
		return result;
	}
	state_publish(r);
	return 0;
}

void ruleset_print(struct ruleset *r, struct strbuf *out)
{
	struct ir_view v = {0};
	struct compiled compiled = {0};

	if (r->open && r->whole)
		state_stage_rest(r);
	if (state_prepare(r, NULL) == 0) {
		add_whole(r, &v, &compiled);
		ir_print(&v, out);
	}
	view_free(&v);
	free_compiled(&compiled);
}

static const struct ir_element *find_element(const struct ir *ir, const struct ir_set *set)
{
	for (size_t i = 0; i < ir->view.element_count; i++)
		if (ir->view.elements[i]->set == set)
			return ir->view.elements[i];
	return NULL;
}

/* Adds what the interface's element of that set has counted, if it has one. */
static int add_traffic(struct ruleset *r, const struct ir *ir, const struct ir_set *set,
		       struct traffic *sum, struct ec2fs_error *error)
{
	const struct ir_element *e = find_element(ir, set);
	struct traffic t = {0};
	int result = e ? apply_element_traffic(r->fd, e, &t, error) : 0;

	sum->packets += t.packets;
	sum->bytes += t.bytes;
	return result;
}

static void print_traffic(const char *verdict, const char *way, const struct traffic *t,
			  struct strbuf *out)
{
	strbuf_addf(out, "%s %s %llu %llu\n", verdict, way, (unsigned long long)t->packets,
		    (unsigned long long)t->bytes);
}

int ruleset_counters(struct ruleset *r, const char *interface_id, struct strbuf *out,
		     struct ec2fs_error *error)
{
	const struct interface *i = state_find_interface(r, interface_id);
	cleanup_ir struct ir *ir = NULL;

	if (!i || !i->current)
		return ec2fs_fail_errno(error, ENOENT, EC2_InternalError,
					"interface %s has no rules here", interface_id);
	ir = compile_interface(&i->current->description, i->current->class->number);
	for (int in = 0; in < 2; in++) {
		struct traffic all = {0}, dropped = {0};
		/* Dropped first: what is dropped while we read is in both, or in all alone. */
		int result = add_traffic(r, ir, in ? &frame_dropped_in : &frame_dropped_out,
					 &dropped, error);

		if (!result)
			result = add_traffic(r, ir, in ? &frame_to : &frame_sources, &all, error);
		if (!result)
			result = add_traffic(r, ir, in ? &frame_to_any : &frame_forwarders, &all,
					     error);
		if (result < 0)
			return result;
		all.packets -= dropped.packets < all.packets ? dropped.packets : all.packets;
		all.bytes -= dropped.bytes < all.bytes ? dropped.bytes : all.bytes;
		print_traffic("accepted", in ? "in" : "out", &all, out);
		print_traffic("dropped", in ? "in" : "out", &dropped, out);
	}
	return 0;
}
