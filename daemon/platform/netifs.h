/* The seam, interfaces: which there are, and word when that changes. Needs no privileges. */
#ifndef NB_PLATFORM_NETIFS_H
#define NB_PLATFORM_NETIFS_H

#include "bounds.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What its frames are like. */
enum netif_type {
    NETIF_TYPE_ETHERNET,
    NETIF_TYPE_LOOPBACK, /* as Ethernet, with addresses that are all 0 */
    NETIF_TYPE_OTHER,    /* another header, or none, such as that of a tunnel for IP packets */
};

struct netif {
    unsigned ifindex;
    char name[INTERFACE_NAME_MAX + 1];
    bool up;      /* administratively */
    bool running; /* and with a carrier */
    bool ipv6;    /* its MTU is 1280 or more: below, there is no IPv6 on it (RFC 8200, 5.) */
    enum netif_type type;
    unsigned master;        /* index of the bridge or bond that it is a port of; 0: none */
    unsigned mtu;           /* bytes; 0: the kernel did not say */
    uint8_t mac[MAC_BYTES]; /* zero: it has none of this length */
    /* The name by which the service made it, whatever it is called by now; "": others made it. */
    char made_as[INTERFACE_NAME_MAX + 1];
};

struct netif_visitor {
    void (*changed)(void *context, const struct netif *netif); /* new, or another state */
    void (*gone)(void *context, unsigned ifindex);
    /* Word was lost: everything is told again by `changed`, between restart and complete. What
     * was not named by then is gone. */
    void (*restart)(void *context);
    void (*complete)(void *context);
    void *context;
};

/* Opens a socket that tells of changes, and asks for all interfaces there are. Returns a
 * non-blocking descriptor to poll for reading, or a negative errno. */
int netifs_socket_open(void);

/* Takes all that is there to read. Returns 0 or a negative errno. */
int netifs_socket_read(int fd, const struct netif_visitor *visitor);

/* The parser of the above, for one datagram: any bytes may come. */
void netifs_parse(const void *bytes, size_t length, const struct netif_visitor *visitor);

#endif
