#include "ec2fs/tree/kinds/vpc_map.h"

#include "ec2fs/model/instance.h"
#include "ec2fs/model/routes.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lengths in SVG's units, which browsers show as pixels. */
enum {
	CARD_WIDTH = 264,
	CARD_HEAD = 50,
	ROW = 24,
	ROUTE_ROW = 19,
	GAP = 16,
	MARGIN = 28,
	VPC_HEAD = 64,
	ZONE_HEAD = 30,
	SIDE_WIDTH = 210,
	ITEMS_MOST = 8, /* shown in a subnet */
	ROUTES_MOST = 5
};

struct hop {
	char to[CIDR_TEXT];
	char *target;
	bool blackhole;
};

/* A subnet as it is drawn. */
struct card {
	const struct resource *subnet;
	const struct resource *items[ITEMS_MOST]; /* instances and NAT gateways */
	size_t item_count;                        /* all, shown or not */
	struct hop hops[ROUTES_MOST];
	size_t hop_count;
	bool internet, nat; /* does a route lead there? */
};

struct map {
	const struct view *v;
	const struct resource *vpc;
	struct strbuf *out;
	struct card *cards;
	size_t card_count, card_capacity;
	int right; /* where what is beside the VPC begins; 0: nothing is */
};

/* At most `most` characters of the text, escaped. */
static void add_text(struct strbuf *out, const char *text, size_t most)
{
	size_t characters = 0;

	for (; *text; text++) {
		bool begins = ((unsigned char)*text & 0xc0) != 0x80;

		if (begins && characters++ == most) {
			strbuf_adds(out, "…");
			return;
		}
		if (*text == '&')
			strbuf_adds(out, "&amp;");
		else if (*text == '<')
			strbuf_adds(out, "&lt;");
		else if (*text == '>')
			strbuf_adds(out, "&gt;");
		else
			strbuf_addc(out, *text);
	}
}

static void text_at(struct map *m, int x, int y, const char *class, const char *text, size_t most)
{
	strbuf_addf(m->out, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, class);
	add_text(m->out, text, most);
	strbuf_adds(m->out, "</text>\n");
}

static void box(struct map *m, int x, int y, int width, int height, const char *class)
{
	strbuf_addf(m->out,
		    "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"8\" class=\"%s\"/>\n",
		    x, y, width, height, class);
}

/* Gathering. */
struct hops {
	struct map *map;
	struct card *card;
};

static void add_hop(void *context, const struct route *r)
{
	struct hops *h = context;
	struct card *c = h->card;
	struct strbuf target = STRBUF_INIT;
	struct hop *hop;

	if (r->target == ROUTE_LOCAL)
		return;
	c->internet |= r->target == ROUTE_INTERNET && !r->blackhole;
	c->nat |= (r->target == ROUTE_NAT || r->target == ROUTE_INSTANCE) && !r->to.prefix &&
		  !r->blackhole;
	if (c->hop_count++ >= ROUTES_MOST)
		return;
	hop = &c->hops[c->hop_count - 1];
	cidr_print(r->to, hop->to);
	route_target_show(h->map->v, h->map->vpc, r, &target);
	hop->target = strbuf_steal(&target);
	hop->blackhole = r->blackhole;
}

static void add_item(struct map *m, const struct resource *subnet, const struct resource *item)
{
	for (size_t i = 0; subnet && i < m->card_count; i++) {
		struct card *c = &m->cards[i];

		if (c->subnet->number != subnet->number)
			continue;
		if (c->item_count < ITEMS_MOST)
			c->items[c->item_count] = item;
		c->item_count++;
	}
}

static void gather(struct map *m)
{
	view_each (m->v, m->vpc->number, KIND_SUBNET, subnet) {
		const struct resource *table = subnet_route_table(m->v, subnet);
		struct hops h = {.map = m};

		array_reserve(m->cards, m->card_count, m->card_capacity);
		h.card = &m->cards[m->card_count++];
		*h.card = (struct card){.subnet = subnet};
		if (table)
			routes_each(m->v, table, add_hop, &h);
	}
	view_each (m->v, m->vpc->number, KIND_NAT_GATEWAY, nat)
		add_item(m, nat_gateway_subnet(m->v, nat), nat);
	view_each (m->v, m->vpc->parent, KIND_INSTANCE, r)
		if (instance_holds_address(r))
			add_item(m, instance_subnet(m->v, r), r);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int card_height(const struct card *c)
{
	size_t items = least(c->item_count, ITEMS_MOST) + (c->item_count > ITEMS_MOST);
	size_t hops = least(c->hop_count, ROUTES_MOST) + (c->hop_count > ROUTES_MOST);

	return CARD_HEAD + (int)items * ROW + (int)hops * ROUTE_ROW + 14;
}

static bool in_zone(const struct card *c, const struct resource *zone)
{
	return resource_is(c->subnet, "availability-zone", zone->name);
}

/* The height of the zone's column of cards; 0: the VPC has none there. */
static int zone_height(const struct map *m, const struct resource *zone)
{
	int height = 0;

	for (size_t i = 0; i < m->card_count; i++)
		if (in_zone(&m->cards[i], zone))
			height += card_height(&m->cards[i]) + GAP;
	return height;
}

/* Drawing. */
static void draw_item(struct map *m, const struct resource *r, int x, int y)
{
	bool nat = r->kind == KIND_NAT_GATEWAY;
	const char *state = resource_or(r, "state", "");
	const char *class = nat                                     ? "nat"
			    : strcmp(state, "running") == 0         ? "running"
			    : instance_state(r) == INSTANCE_STOPPED ? "stopped"
								    : "moving";

	strbuf_addf(m->out, "<circle cx=\"%d\" cy=\"%d\" r=\"5\" class=\"%s\"/>\n", x + 18, y - 4,
		    class);
	text_at(m, x + 30, y, "item", r->name, 18);
	text_at(m, x + CARD_WIDTH - 14, y, "right",
		resource_or(r, "private-ip-address", nat ? "NAT, pending" : ""), 18);
}

static void draw_more(struct map *m, int x, int y, size_t count)
{
	char text[48];

	snprintf(text, sizeof(text), "and %zu more", count);
	text_at(m, x, y, "small", text, 40);
}

static void draw_card(struct map *m, struct card *c, int x, int y)
{
	const char *class = c->internet ? "public" : c->nat ? "private" : "isolated";
	int height = card_height(c), at = y + CARD_HEAD + 14;

	box(m, x, y, CARD_WIDTH, height, class);
	text_at(m, x + 14, y + 22, "name", c->subnet->name, 18);
	text_at(m, x + CARD_WIDTH - 14, y + 22, "right",
		resource_or(c->subnet, "cidr-block", "pending"), 20);
	text_at(m, x + 14, y + 40, "small",
		c->internet ? "public: a route to the internet"
		: c->nat    ? "private: a way out by NAT"
			    : "no way to the internet",
		40);
	for (size_t i = 0; i < least(c->item_count, ITEMS_MOST); i++, at += ROW)
		draw_item(m, c->items[i], x, at);
	if (c->item_count > ITEMS_MOST) {
		draw_more(m, x + 30, at, c->item_count - ITEMS_MOST);
		at += ROW;
	}
	for (size_t i = 0; i < least(c->hop_count, ROUTES_MOST); i++, at += ROUTE_ROW) {
		struct strbuf line cleanup_strbuf = STRBUF_INIT;

		strbuf_addf(&line, "%s → %s", c->hops[i].to, c->hops[i].target);
		text_at(m, x + 14, at, c->hops[i].blackhole ? "black" : "route", strbuf_str(&line),
			42);
	}
	if (c->hop_count > ROUTES_MOST)
		draw_more(m, x + 14, at, c->hop_count - ROUTES_MOST);
}

static void draw_zones(struct map *m, int x, int y, int height)
{
	view_each (m->v, m->vpc->parent, KIND_ZONE, zone) {
		int at = y + ZONE_HEAD;

		if (!zone_height(m, zone))
			continue;
		box(m, x, y, CARD_WIDTH + 2 * GAP, height, "zone");
		text_at(m, x + GAP, y + 20, "small", zone->name, 40);
		for (size_t i = 0; i < m->card_count; i++)
			if (in_zone(&m->cards[i], zone)) {
				draw_card(m, &m->cards[i], x + GAP, at);
				at += card_height(&m->cards[i]) + GAP;
			}
		x += CARD_WIDTH + 3 * GAP;
	}
}

/* Something beside the VPC, and the line to it. */
static void draw_side(struct map *m, int *y, const char *class, const char *what, const char *name,
		      bool dead)
{
	strbuf_addf(m->out, "<path d=\"M%d %d h%d\" class=\"%s\"/>\n", m->right - 40, *y + 26, 40,
		    dead ? "cut" : "line");
	box(m, m->right, *y, SIDE_WIDTH, 52, class);
	text_at(m, m->right + 14, *y + 22, "name", name, 22);
	text_at(m, m->right + 14, *y + 40, "small", what, 30);
	*y += 52 + GAP;
}

static void draw_sides(struct map *m, int y)
{
	const struct resource *gateway = vpc_vpn_gateway(m->v, m->vpc), *p = NULL;

	if (vpc_has_internet(m->vpc))
		draw_side(m, &y, "internet", "by the internet gateway", "Internet", false);
	if (gateway)
		draw_side(m, &y, "vpn", resource_or(gateway, "interface", "VPN gateway, pending"),
			  gateway->name, !vpn_gateway_is_available(gateway));
	while ((p = peering_next(m->v, m->vpc, p)) != NULL) {
		const struct resource *other = peering_other(m->v, p, m->vpc);
		struct strbuf what cleanup_strbuf = STRBUF_INIT;

		strbuf_addf(&what, "peering %s: %s", p->name, resource_or(p, "state", ""));
		draw_side(m, &y, "peer", strbuf_str(&what), other ? other->name : "no VPC",
			  !peering_is_active(p));
	}
}

static int side_height(const struct map *m)
{
	int count = vpc_has_internet(m->vpc) + (vpc_vpn_gateway(m->v, m->vpc) != NULL);

	for (const struct resource *p = NULL; (p = peering_next(m->v, m->vpc, p)) != NULL;)
		count++;
	return count * (52 + GAP);
}

static const char style[] =
	"<style>\n"
	"text{font:13px system-ui,\"DejaVu Sans\",sans-serif;fill:#1f2937}\n"
	".title{font-size:20px;font-weight:600}.name{font-weight:600}\n"
	".small,.right{font-size:11.5px;fill:#5b6675}.right{text-anchor:end}\n"
	".route{font-size:11.5px;fill:#374151}\n"
	".black{font-size:11.5px;fill:#b91c1c;text-decoration:line-through}\n"
	".paper{fill:#fff}.vpc{fill:#f6f8fb;stroke:#7b8ba5;stroke-width:2}\n"
	".zone{fill:none;stroke:#a9b6c9;stroke-dasharray:6 5}\n"
	".public{fill:#e9f6ec;stroke:#3c9a55}.private{fill:#e8f1fc;stroke:#3b7dd0}\n"
	".isolated{fill:#f1f2f4;stroke:#98a1af}\n"
	".running{fill:#2fa34f}.moving{fill:#e5a50a}.stopped{fill:#9aa3b0}.nat{fill:#8b5cf6}\n"
	".internet{fill:#fff7e6;stroke:#d99a1c}.vpn{fill:#f3edfd;stroke:#8b5cf6}\n"
	".peer{fill:#e6f6f6;stroke:#2a9d9d}\n"
	".line{stroke:#7b8ba5;stroke-width:2;fill:none}\n"
	".cut{stroke:#b91c1c;stroke-width:2;stroke-dasharray:3 4;fill:none}\n"
	"</style>\n";

static void draw(struct map *m)
{
	int inner = 0, columns = 0, width, height, total;
	struct strbuf blocks cleanup_strbuf = STRBUF_INIT;
	char block[CIDR_TEXT];
	struct cidr c;

	view_each (m->v, m->vpc->parent, KIND_ZONE, zone) {
		int tall = zone_height(m, zone);

		columns += tall > 0;
		inner = tall > inner ? tall : inner;
	}
	inner = columns ? inner + ZONE_HEAD : 40;
	width = (columns ? columns : 1) * (CARD_WIDTH + 3 * GAP) + GAP;
	height = VPC_HEAD + inner + GAP;
	if (height < VPC_HEAD + side_height(m))
		height = VPC_HEAD + side_height(m);
	m->right = side_height(m) ? MARGIN + width + 40 : 0;
	total = m->right ? m->right + SIDE_WIDTH + MARGIN : width + 2 * MARGIN;
	strbuf_addf(m->out,
		    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		    "viewBox=\"0 0 %d %d\">\n%s",
		    total, height + 2 * MARGIN, total, height + 2 * MARGIN, style);
	strbuf_addf(m->out, "<rect width=\"%d\" height=\"%d\" class=\"paper\"/>\n", total,
		    height + 2 * MARGIN);
	box(m, MARGIN, MARGIN, width, height, "vpc");
	text_at(m, MARGIN + GAP, MARGIN + 28, "title", m->vpc->name, 24);
	for (size_t i = 0; vpc_cidr(m->vpc, i, &c); i++) {
		cidr_print(c, block);
		strbuf_addf(&blocks, "%s  ", block);
	}
	strbuf_adds(&blocks, m->vpc->id);
	text_at(m, MARGIN + GAP, MARGIN + 48, "small", strbuf_str(&blocks), 120);
	if (!columns)
		text_at(m, MARGIN + GAP, MARGIN + VPC_HEAD + 16, "small",
			"no subnets yet: mkdir subnets/NAME", 60);
	draw_zones(m, MARGIN + GAP, MARGIN + VPC_HEAD, inner);
	if (m->right)
		draw_sides(m, MARGIN + VPC_HEAD);
	strbuf_adds(m->out, "</svg>\n");
}

void vpc_map(const struct view *v, const struct resource *vpc, struct strbuf *out)
{
	struct map m = {.v = v, .vpc = vpc, .out = out};

	gather(&m);
	draw(&m);
	for (size_t i = 0; i < m.card_count; i++)
		for (size_t k = 0; k < least(m.cards[i].hop_count, ROUTES_MOST); k++)
			free(m.cards[i].hops[k].target);
	free(m.cards);
}
