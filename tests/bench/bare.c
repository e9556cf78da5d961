#include "bare.h"

#include "bench.h"

#include <net/if.h>

#include <linux/mroute.h>

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BARE_TABLE = 4242, ROUTES_A_SOURCE = 250 };

struct bare_key bare_key_of(unsigned i)
{
    return (struct bare_key){
        .source.s_addr = htonl(0x0a010002 + i / ROUTES_A_SOURCE),
        .group.s_addr = htonl(0xefc00000 + i),
    };
}

static int open_table(const char *iif, const char *oif)
{
    const char *const names[] = {iif, oif};
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_IGMP);
    int table = BARE_TABLE, one = 1;

    bench_require(fd >= 0, "raw socket");
    bench_require(setsockopt(fd, IPPROTO_IP, MRT_TABLE, &table, sizeof table) == 0, "MRT_TABLE");
    bench_require(setsockopt(fd, IPPROTO_IP, MRT_INIT, &one, sizeof one) == 0, "MRT_INIT");
    for (unsigned i = 0; i < 2; i++) {
        struct vifctl vif = {
            .vifc_vifi = (vifi_t)i,
            .vifc_flags = VIFF_USE_IFINDEX,
            .vifc_threshold = 1,
            .vifc_lcl_ifindex = (int)if_nametoindex(names[i]),
        };
        bench_require(setsockopt(fd, IPPROTO_IP, MRT_ADD_VIF, &vif, sizeof vif) == 0, "ADD_VIF");
    }
    return fd;
}

static void add_route(int fd, unsigned i)
{
    struct bare_key key = bare_key_of(i);
    struct mfcctl entry;

    memset(&entry, 0, sizeof entry);
    entry.mfcc_origin = key.source;
    entry.mfcc_mcastgrp = key.group;
    entry.mfcc_ttls[1] = 1;
    bench_require(setsockopt(fd, IPPROTO_IP, MRT_ADD_MFC, &entry, sizeof entry) == 0, "ADD_MFC");
}

double bare_add(const char *iif, const char *oif, unsigned count)
{
    int fd = open_table(iif, oif);
    double start = bench_now();

    for (unsigned i = 0; i < count; i++)
        add_route(fd, i);

    double time = bench_now() - start;

    close(fd);
    return time;
}
