/*
 * The plainest libfuse server: what it takes is the floor. It serves from memory, with the cache
 * settings of ec2fs: one directory with a thousand equal files, or a copy of a directory, read at
 * the start.
 *
 * usage: plain_fuse MOUNTPOINT [DIRECTORY]
 */
#include <fuse_lowlevel.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT 86400.0
#define FILES 1000

static const char content[] = "t3.micro\n";

/* Nodes are numbered from 1, the root; a directory's children lie one behind the other. */
static struct node {
	char *name, *data;
	struct stat st;
	size_t first, count;
} * nodes;
static size_t node_count, node_capacity;

static struct node *node_of(fuse_ino_t ino)
{
	return &nodes[ino - 1];
}

static void *need(void *memory)
{
	if (!memory) {
		perror("plain_fuse");
		exit(1);
	}
	return memory;
}

static struct node *add(const char *name, const struct stat *st)
{
	struct node *n;

	if (node_count == node_capacity) {
		node_capacity = node_capacity ? node_capacity * 2 : 1024;
		nodes = need(realloc(nodes, node_capacity * sizeof(*nodes)));
	}
	n = &nodes[node_count++];
	*n = (struct node){.name = need(strdup(name)), .st = *st};
	n->st.st_ino = node_count;
	return n;
}

static void load_content(int dir, const char *name, struct node *n)
{
	size_t size = (size_t)n->st.st_size;
	ssize_t got = 0;
	int fd;

	n->data = need(calloc(1, size + 1));
	if (S_ISLNK(n->st.st_mode)) {
		got = readlinkat(dir, name, n->data, size + 1);
	} else if (S_ISREG(n->st.st_mode)) {
		fd = openat(dir, name, O_RDONLY);
		got = fd < 0 ? -1 : read(fd, n->data, size);
		close(fd);
	}
	if (got < 0)
		need(NULL);
	n->st.st_size = got;
}

static int is_entry(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

/* All children first, so that they lie together; then what is below each. */
static void load(int at, const char *path, size_t index)
{
	int dir = openat(at, path, O_RDONLY | O_DIRECTORY);
	struct dirent **list;
	int count = dir < 0 ? -1 : scandirat(dir, ".", &list, is_entry, alphasort);
	size_t first = node_count;

	if (count < 0)
		need(NULL);
	for (int i = 0; i < count; i++) {
		struct stat st;

		if (fstatat(dir, list[i]->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			need(NULL);
		load_content(dir, list[i]->d_name, add(list[i]->d_name, &st));
		free(list[i]);
	}
	free(list);
	nodes[index].first = first;
	nodes[index].count = (size_t)count;
	for (size_t i = first; i < first + (size_t)count; i++)
		if (S_ISDIR(nodes[i].st.st_mode))
			load(dir, nodes[i].name, i);
	close(dir);
}

static void make_equal_files(void)
{
	struct stat st = {.st_mode = S_IFREG | 0644, .st_nlink = 1, .st_size = sizeof(content) - 1};
	char name[16];

	nodes[0].first = 1;
	nodes[0].count = FILES;
	for (int i = 1; i <= FILES; i++) {
		snprintf(name, sizeof(name), "%04d", i);
		add(name, &st)->data = need(strdup(content));
	}
}

static void init(void *userdata, struct fuse_conn_info *conn)
{
	(void)userdata;
	conn->want |= conn->capable & (FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_PARALLEL_DIROPS |
				       FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO);
	conn->want &= ~(unsigned)FUSE_CAP_AUTO_INVAL_DATA;
}

static void entry_of(fuse_ino_t ino, struct fuse_entry_param *ret)
{
	*ret = (struct fuse_entry_param){.ino = ino,
					 .attr = node_of(ino)->st,
					 .attr_timeout = TIMEOUT,
					 .entry_timeout = TIMEOUT};
}

static int compare(const void *key, const void *node)
{
	return strcmp(key, ((const struct node *)node)->name);
}

static void lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	const struct node *dir = node_of(parent);
	const struct node *n =
		dir->count ? bsearch(name, &nodes[dir->first], dir->count, sizeof(*nodes), compare)
			   : NULL;
	struct fuse_entry_param e;

	if (!n) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	entry_of((fuse_ino_t)(n - nodes) + 1, &e);
	fuse_reply_entry(req, &e);
}

static void getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)fi;
	fuse_reply_attr(req, &node_of(ino)->st, TIMEOUT);
}

static void read_link(fuse_req_t req, fuse_ino_t ino)
{
	fuse_reply_readlink(req, node_of(ino)->data);
}

static void open_dir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	fuse_reply_err(req, ENOSYS);
}

static void list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, int plus)
{
	const struct node *dir = node_of(ino);
	char *buffer = need(malloc(size));
	size_t len = 0;

	for (size_t i = (size_t)off; i < dir->count; i++) {
		fuse_ino_t child = dir->first + i + 1;
		struct fuse_entry_param e;
		size_t n;

		entry_of(child, &e);
		if (plus)
			n = fuse_add_direntry_plus(req, buffer + len, size - len,
						   node_of(child)->name, &e, (off_t)i + 1);
		else
			n = fuse_add_direntry(req, buffer + len, size - len, node_of(child)->name,
					      &e.attr, (off_t)i + 1);
		if (n > size - len)
			break;
		len += n;
	}
	fuse_reply_buf(req, buffer, len);
	free(buffer);
}

static void read_dir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		     struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, off, 0);
}

static void read_dir_plus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
			  struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, off, 1);
}

static void open_file(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fi->keep_cache = 1;
	fi->noflush = 1;
	fuse_reply_open(req, fi);
}

static void read_file(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		      struct fuse_file_info *fi)
{
	size_t len = (size_t)node_of(ino)->st.st_size;

	(void)fi;
	if ((size_t)off >= len)
		fuse_reply_buf(req, NULL, 0);
	else
		fuse_reply_buf(req, node_of(ino)->data + off,
			       len - (size_t)off < size ? len - (size_t)off : size);
}

static const struct fuse_lowlevel_ops ops = {.init = init,
					     .lookup = lookup,
					     .getattr = getattr,
					     .readlink = read_link,
					     .opendir = open_dir,
					     .readdir = read_dir,
					     .readdirplus = read_dir_plus,
					     .open = open_file,
					     .read = read_file};

int main(int argc, char **argv)
{
	char *args_array[] = {argv[0], "-odefault_permissions", NULL};
	struct fuse_args args = FUSE_ARGS_INIT(2, args_array);
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	struct stat root = {.st_mode = S_IFDIR | 0755, .st_nlink = 2};
	struct fuse_session *se;
	int r;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: plain_fuse MOUNTPOINT [DIRECTORY]\n");
		return 2;
	}
	add("", &root);
	if (argc == 3)
		load(AT_FDCWD, argv[2], 0);
	else
		make_equal_files();
	se = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	if (!se || fuse_set_signal_handlers(se) || fuse_session_mount(se, argv[1]))
		return 1;
	r = fuse_session_loop_mt(se, config);
	fuse_session_unmount(se);
	fuse_remove_signal_handlers(se);
	fuse_session_destroy(se);
	fuse_loop_cfg_destroy(config);
	return r ? 1 : 0;
}
