/* Key pairs: imported, or made here with a private key that is kept until it is taken away. */
#include "ec2fs/model/instance.h"

#include "ec2fs/model/keys.h"
#include "ec2fs/util/memory.h"
#include "ec2fs/util/strbuf.h"

#include <string.h>

/* EC2: at most 255 ASCII characters, no blank at either end. */
static int check_name(const char *name, struct ec2fs_error *error)
{
	size_t len = strlen(name);

	for (const char *p = name; *p; p++)
		if ((unsigned char)*p > 126 || (unsigned char)*p < 32)
			return ec2fs_fail(error, EC2_InvalidParameterValue,
					  "a key pair's name is ASCII");
	if (name[0] == ' ' || name[len - 1] == ' ')
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "a key pair's name has no space at its ends");
	return 0;
}

int key_pair_make(struct view *v, const struct resource *parent, const char *name,
		  struct resource **ret, struct ec2fs_error *error)
{
	uint64_t limit = quota_get(parent, "key-pairs");
	int result = check_name(name, error);

	if (result < 0)
		return result;
	if (view_count(v, parent->number, KIND_KEY_PAIR) >= limit)
		return ec2fs_fail(error, EC2_KeyPairLimitExceeded,
				  "there are %llu key pairs, as many as the quota allows: remove "
				  "one, or raise key-pairs in the region's quotas",
				  (unsigned long long)limit);
	*ret = view_create(v, parent->number, KIND_KEY_PAIR, name);
	return 0;
}

int key_pair_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	(void)error;
	/* Instances keep the key they were launched with. */
	view_delete(v, r);
	return 0;
}

int key_pair_rename(struct view *v, struct resource *r, const char *name, struct ec2fs_error *error)
{
	int result = check_name(name, error);

	if (result < 0)
		return result;
	view_each (v, r->parent, KIND_INSTANCE, user)
		if (resource_is(user, "key-pair", r->name))
			set_text(v, view_edit(v, user), "key-pair", name);
	view_rename(v, r, name);
	return 0;
}

static int refuse_second(const struct resource *r, struct ec2fs_error *error)
{
	return ec2fs_fail(error, EC2_InvalidKeyPair_Duplicate,
			  "%s has a key already; make another key pair for another key", r->name);
}

static void take(struct view *v, struct resource *r, const struct key_material *key)
{
	set_text(v, r, "public-key", key->public_key);
	/* Its time is that of who wrote it, if anybody did. */
	set_default(r, "key-type", key_type_name(key->type));
	set_text(v, r, "fingerprint", key->fingerprint);
	if (key->private_key)
		set_text(v, r, "private-key", key->private_key);
}

int key_pair_set_public_key(struct view *v, struct resource *r, const char *text, size_t len,
			    struct ec2fs_error *error)
{
	struct key_material key cleanup_key_material = {0};
	int result;

	if (resource_is(r, "public-key", text))
		return 0;
	result = keys_import(text, len, &key, error);
	if (result < 0)
		return result;
	if (resource_get(r, "public-key"))
		return resource_is(r, "public-key", key.public_key) ? 0 : refuse_second(r, error);
	take(v, r, &key);
	return 0;
}

/* The pair that key_pair_prepare made, as one block: what frees it need not know its parts. */
struct prepared_key {
	struct key_material key; /* its strings are behind it, in texts */
	char texts[];
};

int key_pair_prepare(const struct resource *r, const char *text, void **ret,
		     struct ec2fs_error *error)
{
	struct key_material key cleanup_key_material = {0};
	struct prepared_key *block;
	enum key_type type;
	size_t public, print, private;
	int result;

	if (resource_get(r, "public-key") || !key_type_parse(text, &type))
		return 0; /* the store function tells why not */
	result = keys_generate(type, r->name, &key, error);
	if (result < 0)
		return result;
	public = strlen(key.public_key) + 1;
	print = strlen(key.fingerprint) + 1;
	private = strlen(key.private_key) + 1;
	block = xcalloc(1, sizeof(*block) + public + print + private);
	block->key.type = key.type;
	block->key.public_key = memcpy(block->texts, key.public_key, public);
	block->key.fingerprint = memcpy(block->texts + public, key.fingerprint, print);
	block->key.private_key = memcpy(block->texts + public + print, key.private_key, private);
	*ret = block;
	return 0;
}

int key_pair_set_type(struct view *v, struct resource *r, const char *text, size_t len,
		      struct ec2fs_error *error)
{
	const struct prepared_key *made = v->prepared;
	enum key_type type;

	(void)len;
	if (!key_type_parse(text, &type))
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "write rsa or ed25519, and a key of that type is made");
	if (resource_is(r, "key-type", text))
		return 0;
	if (resource_get(r, "public-key"))
		return refuse_second(r, error);
	if (made) {
		take(v, r, &made->key);
		set_text(v, r, "key-type", text);
	} else if (!v->trial) {
		return ec2fs_fail(error, EC2_InternalError, "no key was made");
	}
	return 0;
}

int key_pair_unset_private_key(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	(void)error;
	unset(v, r, "private-key");
	return 0;
}
