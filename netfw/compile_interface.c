/* An interface is elements only; what it shares with its like, two chains, is its class. */
#include "netfw/compile.h"

#include <string.h>

struct ir *compile_class(const struct class_description *class)
{
	struct ir *ir = ir_new();
	size_t at;

	for (int out = 0; out < 2; out++) {
		const char *way = out ? "out" : "in";
		struct ir_chain *c =
			ir_add_chain(ir, IR_INET, ir_format(ir, "class-%u-%s", class->number, way));
		struct ir_element *e;

		for (size_t i = 0; i < class->group_count; i++)
			rule_jump(ir_add_rule(ir, c),
				  ir_format(ir, "%s-%s", class->groups[i], way));
		rule_goto(ir_add_rule(ir, c), out ? "dropped-out" : "dropped-in");
		e = ir_add_element(ir, out ? &frame_classes_out : &frame_classes_in);
		at = 0;
		key_number(e->key, &at, IR_MARK, class->number);
		e->verdict = (struct ir_verdict){IR_GOTO, c->name};
		if (class->acl == CLASS_NO_ACLS)
			continue;
		e = ir_add_element(ir, out ? &frame_acls_out : &frame_acls_in);
		at = 0;
		key_number(e->key, &at, IR_MARK, class->number);
		e->verdict = (struct ir_verdict){
			IR_GOTO,
			ir_format(ir, "%s-%s",
				  class->acl == CLASS_RESTRICTED ? class->subnet : "rules", way)};
	}
	return ir;
}

/* An element whose key has the device, and further bytes and address where the set has a place. */
static struct ir_element *add(struct ir *ir, const struct ir_set *set, const char *tap,
			      const uint8_t *mac, uint32_t address)
{
	struct ir_element *e = ir_add_element(ir, set);
	size_t at = 0;

	for (size_t i = 0; i < set->field_count; i++) {
		enum ir_field field = set->fields[i];

		if (ir_field_info(field)->len == 16)
			key_bytes(e->key, &at, field, tap, strlen(tap));
		else if (ir_field_info(field)->len == 6)
			key_bytes(e->key, &at, field, mac, 6);
		else
			key_number(e->key, &at, field, address);
	}
	return e;
}

static void add_pair(struct ir *ir, const struct ir_set *set, uint32_t private_ip, uint32_t shown)
{
	struct ir_element *e = ir_add_element(ir, set);
	size_t at = 0;

	key_number(e->key, &at, set->fields[0], private_ip);
	key_number(e->key, &at, set->fields[1], shown);
}

static void add_public(struct ir *ir, const struct netfw_interface *i)
{
	struct ir_element *e;
	size_t at = 0;

	e = add(ir, &frame_public, NULL, NULL, i->address);
	e->value = i->public_ip;
	e = ir_add_element(ir, &frame_private);
	key_number(e->key, &at, IR_IP_DADDR, i->public_ip);
	e->value = i->address;
	add_pair(ir, &frame_internet_in, i->address, i->public_ip);
	add_pair(ir, &frame_internet_out, i->address, i->public_ip);
	add_pair(ir, &frame_internet_out, i->address, i->address);
}

struct ir *compile_interface(const struct netfw_interface *i, uint32_t class_number)
{
	struct ir *ir = ir_new();
	char tap[16];

	netfw_tap_name(i->id, tap);
	add(ir, &frame_sources, tap, i->mac, i->address)->value = class_number;
	add(ir, &frame_addresses, tap, NULL, i->address);
	add(ir, &frame_clients, tap, i->mac, 0);
	add(ir, &frame_arp_sources, tap, i->mac, i->address);
	add(ir, &frame_arp_clients, tap, i->mac, 0);
	add(ir, &frame_to, tap, NULL, i->address)->value = class_number;
	if (!i->source_dest_check) {
		add(ir, &frame_forwarders, tap, i->mac, 0)->value = class_number;
		add(ir, &frame_to_any, tap, NULL, 0)->value = class_number;
	}
	/* Made anew with those above, so that all count from the same time. */
	add(ir, &frame_dropped_out, tap, NULL, 0)->value = class_number;
	add(ir, &frame_dropped_in, tap, NULL, 0)->value = class_number;
	add(ir, compile_subnet_set(ir, i->subnet), tap, NULL, 0);
	for (size_t g = 0; g < i->group_count; g++)
		add(ir, compile_members_set(ir, i->groups[g]), NULL, NULL, i->address);
	if (i->public_ip)
		add_public(ir, i);
	return ir;
}
