/* What the files of taps share: how ours are known. */
#ifndef NB_LINUX_TAPS_INTERNAL_H
#define NB_LINUX_TAPS_INTERNAL_H

#include "netlink.h"

#define TAP_MARK "netbroker" /* IFLA_IFALIAS of ours */

/* Begins a request about this interface. */
void tap_begin_link(struct netlink_request *request, uint16_t type, unsigned ifindex);

/* 0: it is a tap with our mark; -EPERM: it is something else; -ENODEV: it is nothing. By a socket
 * of netlink_open. */
int tap_is_ours(int link, unsigned ifindex);

#endif
