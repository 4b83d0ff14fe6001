/* Makes the manual page ec2fs.tree(7): what comes in, and at the line ".\" The tables." what the
 * tables of the tree say. */
#include "ec2fs/tree/open.h"

#include <stdio.h>
#include <string.h>

int main(void)
{
	struct strbuf tables = STRBUF_INIT;
	char line[4096];

	tree_manual(&tables);
	while (fgets(line, sizeof(line), stdin))
		fputs(strcmp(line, ".\\\" The tables.\n") == 0 ? strbuf_str(&tables) : line,
		      stdout);
	strbuf_free(&tables);
	return fflush(stdout) || ferror(stdin) || ferror(stdout);
}
