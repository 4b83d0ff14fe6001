/* A rule, statement by statement. */
#include "netfw/ir.h"

#include <assert.h>
#include <string.h>

static struct ir_statement *add_statement(struct ir_rule *r, enum ir_op op)
{
	struct ir_statement *s = &r->statements[r->count];

	assert(r->count < IR_STATEMENTS_MAX);
	r->count++;
	s->op = op;
	return s;
}

static struct ir_statement *add_match(struct ir_rule *r, enum ir_field field, bool invert)
{
	struct ir_statement *s = add_statement(r, IR_OP_MATCH);

	s->fields[0] = field;
	s->field_count = 1;
	s->invert = invert;
	s->len = ir_field_info(field)->len;
	return s;
}

void rule_match(struct ir_rule *r, enum ir_field field, uint32_t value)
{
	size_t offset = 0;

	key_number(add_match(r, field, false)->value, &offset, field, value);
}

static void match_device(struct ir_rule *r, enum ir_field field, const char *name, bool invert)
{
	struct ir_statement *s = add_match(r, field, invert);
	size_t len = strlen(name);

	if (len && name[len - 1] == '*')
		s->len = (uint8_t)--len;
	memcpy(s->value, name, len < sizeof(s->value) ? len : sizeof(s->value) - 1);
}

void rule_device(struct ir_rule *r, enum ir_field field, const char *name)
{
	match_device(r, field, name, false);
}

void rule_not_device(struct ir_rule *r, enum ir_field field, const char *name)
{
	match_device(r, field, name, true);
}

void rule_range(struct ir_rule *r, enum ir_field field, uint32_t first, uint32_t last)
{
	struct ir_statement *s;

	if (first == last) {
		rule_match(r, field, first);
		return;
	}
	s = add_statement(r, IR_OP_RANGE);
	s->fields[0] = field;
	s->field_count = 1;
	s->first = first;
	s->last = last;
}

void rule_cidr(struct ir_rule *r, enum ir_field field, uint32_t address, uint8_t prefix)
{
	struct ir_statement *s;

	if (prefix == 0)
		return;
	if (prefix == 32) {
		rule_match(r, field, address);
		return;
	}
	s = add_statement(r, IR_OP_CIDR);
	s->fields[0] = field;
	s->field_count = 1;
	s->first = address;
	s->last = prefix;
}

static void set_fields(struct ir_statement *s, const enum ir_field *fields)
{
	while (s->field_count < IR_FIELDS_MAX && fields[s->field_count] != IR_NO_FIELD) {
		s->fields[s->field_count] = fields[s->field_count];
		s->field_count++;
	}
}

void rule_map(struct ir_rule *r, enum ir_op op, const char *map, const enum ir_field *fields)
{
	struct ir_statement *s = add_statement(r, op);

	s->name = map;
	set_fields(s, fields);
}

void rule_lookup(struct ir_rule *r, const char *set, const enum ir_field *fields)
{
	rule_map(r, IR_OP_LOOKUP, set, fields);
}

void rule_not_in(struct ir_rule *r, const char *set, const enum ir_field *fields)
{
	rule_map(r, IR_OP_LOOKUP, set, fields);
	r->statements[r->count - 1].invert = true;
}

void rule_ct_state(struct ir_rule *r, uint32_t states)
{
	add_statement(r, IR_OP_CT_STATE)->first = states;
}

void rule_ct_confirmed(struct ir_rule *r)
{
	add_statement(r, IR_OP_CT_CONFIRMED);
}

void rule_mark(struct ir_rule *r, uint32_t mark)
{
	add_statement(r, IR_OP_MARK_SET)->first = mark;
}

void rule_counter(struct ir_rule *r)
{
	add_statement(r, IR_OP_COUNTER);
}

void rule_count(struct ir_rule *r, const char *counter)
{
	add_statement(r, IR_OP_COUNT)->name = counter;
}

void rule_log(struct ir_rule *r, uint32_t group, const char *prefix)
{
	struct ir_statement *s = add_statement(r, IR_OP_LOG);

	s->first = group;
	s->name = prefix;
}

void rule_snat(struct ir_rule *r, uint32_t address, bool ports)
{
	struct ir_statement *s = add_statement(r, IR_OP_SNAT);

	s->first = address;
	s->last = ports;
}

void rule_verdict(struct ir_rule *r, enum ir_verdict_kind kind)
{
	add_statement(r, IR_OP_VERDICT)->verdict = (struct ir_verdict){kind, NULL};
}

void rule_jump(struct ir_rule *r, const char *chain)
{
	add_statement(r, IR_OP_VERDICT)->verdict = (struct ir_verdict){IR_JUMP, chain};
}

void rule_goto(struct ir_rule *r, const char *chain)
{
	add_statement(r, IR_OP_VERDICT)->verdict = (struct ir_verdict){IR_GOTO, chain};
}
