/* What the files of taps share: how ours are known. */
#ifndef NB_LINUX_TAPS_INTERNAL_H
#define NB_LINUX_TAPS_INTERNAL_H

#include "netlink.h"
#include "platform/taps.h"

#define TAP_MARK     "netbroker " /* IFLA_IFALIAS of ours: this, and the name it was made by */
#define MACVTAP_KIND "macvtap"    /* IFLA_INFO_KIND */

/* Frames that wait in the kernel for who takes them. By default there is no bound: a holder's
 * frames would fill memory when they go to a slow interface. */
enum { TAP_SEND_BUFFER = 1 << 20 };

/* Whether it is an alias of ours (NULL is none): then the name by which that was made is written to
 * ret[INTERFACE_NAME_MAX + 1]. */
bool tap_read_mark(const struct rtattr *alias, char *ret);

/* Begins a request about this interface. */
void tap_begin_link(struct netlink_request *request, uint16_t type, unsigned ifindex);

/* Marks it, and settles what it shall not do or be before it is up. By a socket of netlink_open, as
 * the next one. */
int tap_settle(int link, unsigned ifindex, const struct tap_config *config);
int tap_set_up(int link, unsigned ifindex);

/* 0: it is a tap with our mark; -EPERM: it is something else; -ENODEV: it is nothing. By a socket
 * of netlink_open. */
int tap_is_ours(int link, unsigned ifindex);

#endif
