/* The flow log of a VPC on disk: STATE/network/VPC/flow-log and, older, flow-log.1. Together they
 * are bounded. */
#ifndef NETFW_FLOW_FILE_H
#define NETFW_FLOW_FILE_H

#include "ec2fs/util/strbuf.h"

/* Of each of the two files. */
#define FLOW_FILE_MAX (4 << 20)

/* Appends lines; 0 or a negative errno, with some of them lost. directory is STATE/network/VPC,
 * made when missing. One thread at a time. */
int flow_file_append(const char *directory, const struct strbuf *lines);

#endif
