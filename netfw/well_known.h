/* The addresses of the services inside every VPC, in host byte order. */
#ifndef NETFW_WELL_KNOWN_H
#define NETFW_WELL_KNOWN_H

#define METADATA 0xa9fea9feU /* 169.254.169.254 */
#define RESOLVER 0xa9fea9fdU /* 169.254.169.253 */
#define CLOCK 0xa9fea97bU    /* 169.254.169.123: EC2's time service */

#endif
