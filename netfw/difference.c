/* The difference of two rulesets. */
#include "netfw/difference.h"

#include "ec2fs/util/memory.h"

#include <stdlib.h>
#include <string.h>

/*
 * To take one range out of a set of ranges the kernel looks at all that it has (5 µs each, 6.18); a
 * set made anew costs less than that for each range. From so many on the set is replaced.
 */
#define REMOVALS_MAX 2

static int by_element(const void *p, const void *q)
{
	return ir_compare_elements(*(struct ir_element *const *)p, *(struct ir_element *const *)q);
}

/* The elements in order; *copy is to be freed. What the compiler makes is often in order already.
 */
static struct ir_element **in_order(const struct ir *ir, struct ir_element ***copy)
{
	struct ir_element **elements = ir->view.elements;
	size_t count = ir->view.element_count;

	*copy = NULL;
	for (size_t i = 1; i < count; i++) {
		if (ir_compare_elements(elements[i - 1], elements[i]) <= 0)
			continue;
		*copy = xcalloc(count, sizeof(struct ir_element *));
		memcpy(*copy, elements, count * sizeof(struct ir_element *));
		qsort(*copy, count, sizeof(struct ir_element *), by_element);
		return *copy;
	}
	return elements;
}

static bool same_set_name(const struct ir_element *e, const struct ir_set *set)
{
	return e->set == set || (e->set->family == set->family && !strcmp(e->set->name, set->name));
}

static void elements_add(struct difference *d, const struct ir *old, const struct ir *new)
{
	struct ir_element **old_copy, **new_copy, **a = in_order(old, &old_copy),
						  **b = in_order(new, &new_copy);
	size_t i = 0, j = 0, m = old->view.element_count, n = new->view.element_count;

	while (i < m || j < n) {
		int order = i == m ? 1 : j == n ? -1 : ir_compare_elements(a[i], b[j]);

		if (order < 0) {
			view_element(&d->remove, a[i++]);
		} else if (order > 0) {
			view_element(&d->add, b[j++]);
		} else {
			if (!ir_same_payload(a[i], b[j])) {
				view_element(&d->remove, a[i]);
				view_element(&d->add, b[j]);
			}
			i++;
			j++;
		}
	}
	free(old_copy);
	free(new_copy);
}

static struct ir_set *find_set(const struct ir *ir, const struct ir_set *set)
{
	for (size_t i = 0; i < ir->view.set_count; i++)
		if (ir->view.sets[i]->family == set->family &&
		    !strcmp(ir->view.sets[i]->name, set->name))
			return ir->view.sets[i];
	return NULL;
}

static struct ir_chain *find_chain(const struct ir *ir, const struct ir_chain *chain)
{
	for (size_t i = 0; i < ir->view.chain_count; i++)
		if (ir->view.chains[i]->family == chain->family &&
		    !strcmp(ir->view.chains[i]->name, chain->name))
			return ir->view.chains[i];
	return NULL;
}

static bool has_counter(const struct ir *ir, const char *name)
{
	for (size_t i = 0; i < ir->view.counter_count; i++)
		if (!strcmp(ir->view.counters[i]->name, name))
			return true;
	return false;
}

static void rewrite(struct difference *d, struct ir_chain *chain)
{
	for (size_t i = 0; i < d->rewrite_count; i++)
		if (d->rewrite[i] == chain)
			return;
	array_reserve(d->rewrite, d->rewrite_count, d->rewrite_capacity);
	d->rewrite[d->rewrite_count++] = chain;
}

/* Takes the elements of a set out of those from `from` on. */
static void forget_elements(struct ir_view *v, size_t from, const struct ir_set *set)
{
	size_t kept = from;

	for (size_t i = from; i < v->element_count; i++)
		if (!same_set_name(v->elements[i], set))
			v->elements[kept++] = v->elements[i];
	v->element_count = kept;
}

static bool refers(const struct ir_chain *chain, const char *set)
{
	for (size_t i = 0; i < chain->rule_count; i++)
		for (size_t j = 0; j < chain->rules[i]->count; j++) {
			const struct ir_statement *s = &chain->rules[i]->statements[j];

			if (s->field_count && s->name && !strcmp(s->name, set))
				return true;
		}
	return false;
}

static void replace_set(struct difference *d, const struct ir *new, struct ir_set *from,
			struct ir_set *to, size_t removed, size_t added)
{
	forget_elements(&d->remove, removed, from);
	forget_elements(&d->add, added, to);
	view_set(&d->remove, from);
	view_set(&d->add, to);
	for (size_t i = 0; i < new->view.element_count; i++)
		if (same_set_name(new->view.elements[i], to))
			view_element(&d->add, new->view.elements[i]);
	for (size_t i = 0; i < new->view.chain_count; i++)
		if (refers(new->view.chains[i], to->name))
			rewrite(d, new->view.chains[i]);
}

static void sets_add(struct difference *d, const struct ir *old, const struct ir *new)
{
	size_t removed = d->remove.element_count, added = d->add.element_count;

	elements_add(d, old, new);
	for (size_t i = 0; i < old->view.set_count; i++) {
		struct ir_set *set = old->view.sets[i], *other = find_set(new, set);
		size_t removals = 0;

		if (!other) {
			/* Its elements go with it. */
			forget_elements(&d->remove, removed, set);
			view_set(&d->remove, set);
			continue;
		}
		if (!set->interval)
			continue;
		for (size_t j = removed; j < d->remove.element_count; j++)
			removals += same_set_name(d->remove.elements[j], set);
		if (removals > REMOVALS_MAX)
			replace_set(d, new, set, other, removed, added);
	}
	for (size_t i = 0; i < new->view.set_count; i++)
		if (!find_set(old, new->view.sets[i]))
			view_set(&d->add, new->view.sets[i]);
}

static bool same_rules(const struct ir_chain *a, const struct ir_chain *b)
{
	if (a->rule_count != b->rule_count)
		return false;
	for (size_t i = 0; i < a->rule_count; i++)
		if (!ir_same_rule(a->rules[i], b->rules[i]))
			return false;
	return true;
}

void difference_add(struct difference *d, const struct ir *old, const struct ir *new)
{
	static const struct ir nothing;

	old = old ? old : &nothing;
	new = new ? new : &nothing;
	sets_add(d, old, new);
	for (size_t i = 0; i < old->view.chain_count; i++) {
		struct ir_chain *chain = old->view.chains[i], *other = find_chain(new, chain);

		if (!other)
			view_chain(&d->remove, chain);
		else if (!same_rules(chain, other))
			rewrite(d, other);
	}
	for (size_t i = 0; i < new->view.chain_count; i++)
		if (!find_chain(old, new->view.chains[i]))
			view_chain(&d->add, new->view.chains[i]);
	for (size_t i = 0; i < old->view.counter_count; i++)
		if (!has_counter(new, old->view.counters[i]->name))
			view_counter(&d->remove, old->view.counters[i]);
	for (size_t i = 0; i < new->view.counter_count; i++)
		if (!has_counter(old, new->view.counters[i]->name))
			view_counter(&d->add, new->view.counters[i]);
}

static bool same_base(const struct ir_chain *a, const struct ir_chain *b)
{
	return a->hook && a->hook == b->hook && a->nat == b->nat && a->priority == b->priority &&
	       a->policy == b->policy && a->family == b->family && !strcmp(a->name, b->name);
}

void difference_replace(struct difference *d, const struct ir *existing)
{
	size_t kept = 0;

	d->kind = DIFFERENCE_REPLACE;
	for (size_t i = 0; i < existing->view.chain_count; i++) {
		bool stays = false;

		for (size_t j = 0; existing->view.chains[i]->hook && j < d->add.chain_count; j++)
			stays |= same_base(existing->view.chains[i], d->add.chains[j]);
		if (!stays)
			view_chain(&d->remove, existing->view.chains[i]);
	}
	for (size_t i = 0; i < existing->view.set_count; i++)
		view_set(&d->remove, existing->view.sets[i]);
	for (size_t i = 0; i < existing->view.counter_count; i++)
		view_counter(&d->remove, existing->view.counters[i]);
	for (size_t i = 0; i < d->add.chain_count; i++) {
		struct ir_chain *chain = d->add.chains[i], *other = NULL;

		if (chain->hook)
			other = find_chain(existing, chain);
		if (other && same_base(other, chain))
			rewrite(d, chain);
		else
			d->add.chains[kept++] = chain;
	}
	d->add.chain_count = kept;
}

static bool view_empty(const struct ir_view *v)
{
	return !v->chain_count && !v->counter_count && !v->set_count && !v->element_count;
}

bool difference_empty(const struct difference *d)
{
	return d->kind == DIFFERENCE_CHANGE && view_empty(&d->remove) && view_empty(&d->add) &&
	       !d->rewrite_count;
}

void difference_free(struct difference *d)
{
	view_free(&d->remove);
	view_free(&d->add);
	free(d->rewrite);
	*d = (struct difference){0};
}
