/* Multicast routing with bare system calls, in a table of its own: what no service can beat. */
#ifndef NB_BENCH_BARE_H
#define NB_BENCH_BARE_H

#include <netinet/in.h>

struct bare_key {
    struct in_addr source, group;
};

/* The i-th of many (S,G) that all differ. */
struct bare_key bare_key_of(unsigned i);

/* Adds `count` routes from iif to oif to a table that nobody else uses, deletes them by closing it,
 * and returns the microseconds that the additions took. Ends the program when something fails;
 * needs CAP_NET_RAW and CAP_NET_ADMIN. */
double bare_add(const char *iif, const char *oif, unsigned count);

#endif
