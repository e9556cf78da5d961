/* Routes added through one pipelined connection, beside the same number of bare setsockopt calls.
 *
 * usage: routes IIF OIF COUNT BROKER-PID   (NETBROKER_SOCKET names the service's socket)
 *
 * The bare loop writes into a multicast routing table of its own in the same network namespace, in
 * turns with the service, so that both see the same machine. Needs CAP_NET_RAW and CAP_NET_ADMIN,
 * for the bare loop only. */
#include "bench.h"
#include "netbroker.h"

#include <net/if.h>
#include <netinet/in.h>

#include <linux/mroute.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROUNDS = 5, BARE_TABLE = 4242, ROUTES_A_SOURCE = 250 };

struct key {
    struct in_addr source, group;
};

static struct key key_of(unsigned i)
{
    return (struct key){
        .source.s_addr = htonl(0x0a010002 + i / ROUTES_A_SOURCE),
        .group.s_addr = htonl(0xefc00000 + i),
    };
}

/* --- Bare ---------------------------------------------------------------------------------- */

static int open_bare(const char *iif, const char *oif)
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

static void change_bare(int fd, int operation, unsigned i)
{
    struct key key = key_of(i);
    struct mfcctl entry;

    memset(&entry, 0, sizeof entry);
    entry.mfcc_origin = key.source;
    entry.mfcc_mcastgrp = key.group;
    entry.mfcc_ttls[1] = 1;
    bench_require(setsockopt(fd, IPPROTO_IP, operation, &entry, sizeof entry) == 0, "MFC");
}

static double add_bare(const char *iif, const char *oif, unsigned count)
{
    int fd = open_bare(iif, oif);
    double start = bench_now();

    for (unsigned i = 0; i < count; i++)
        change_bare(fd, MRT_ADD_MFC, i);

    double time = bench_now() - start;

    close(fd);
    return time;
}

/* --- Through the service ------------------------------------------------------------------- */

static void count_success(struct nb_client *client, const struct nb_reply *reply, void *context)
{
    (void)client;
    if (nb_reply_code(reply))
        fprintf(stderr, "%s\n", nb_reply_message(reply));
    *(unsigned *)context += nb_reply_code(reply) == NULL;
}

static void submit_add(struct nb_client *client, const char *iif, const char *oif, unsigned i,
                       unsigned *done)
{
    struct key key = key_of(i);
    struct nb_request *request;
    char text[INET_ADDRSTRLEN];

    bench_require(nb_request_new(&request, "ADD_MFC") == 0, "request");
    nb_request_set_string(request, "source", inet_ntop(AF_INET, &key.source, text, sizeof text));
    nb_request_set_string(request, "group", inet_ntop(AF_INET, &key.group, text, sizeof text));
    nb_request_set_string(request, "iif", iif);
    nb_request_add_string(request, "oifs", oif);
    bench_require(nb_submit(client, request, count_success, done) == 0, "submit");
    nb_request_free(request);
}

/* Building the requests is the client's own work and counts: what is measured is what its user
 * waits for. It sends while it builds. */
static double add_pipelined(struct nb_client *client, const char *iif, const char *oif,
                            unsigned count)
{
    double start = bench_now();
    unsigned done = 0;

    for (unsigned i = 0; i < count; i++) {
        submit_add(client, iif, oif, i, &done);
        if (i % 128 == 127)
            bench_require(nb_dispatch(client) == 0, "dispatch");
    }
    bench_require(nb_wait(client) == 0, "wait");

    double time = bench_now() - start;

    bench_require(done == count, "not every route was added");
    return time;
}

static void flush(struct nb_client *client)
{
    struct nb_request *request;
    struct nb_reply *reply;

    bench_require(nb_request_new(&request, "FLUSH_MFC") == 0, "request");
    bench_require(nb_call(client, request, &reply) == 0 && !nb_reply_code(reply), "flush");
    nb_reply_free(reply);
    nb_request_free(request);
}

static double resident_bytes(const char *pid)
{
    char path[64], line[256];
    double kilobytes = 0;

    snprintf(path, sizeof path, "/proc/%s/status", pid);

    FILE *file = fopen(path, "re");

    bench_require(file != NULL, path);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "RssAnon: %lf", &kilobytes) == 1)
            break;
    fclose(file);
    return kilobytes * 1024;
}

int main(int argc, char **argv)
{
    struct nb_client *client;
    double ours[ROUNDS], bare[ROUNDS], before, memory = 0;
    char what[64];
    unsigned count;

    if (argc != 5) {
        fputs("usage: routes IIF OIF COUNT BROKER-PID\n", stderr);
        return 2;
    }
    count = (unsigned)atoi(argv[3]);
    bench_require(nb_connect(&client, NULL) == 0, "connect");
    before = resident_bytes(argv[4]);
    for (int i = 0; i < ROUNDS; i++) {
        bare[i] = add_bare(argv[1], argv[2], count) / count;
        ours[i] = add_pipelined(client, argv[1], argv[2], count) / count;
        if (i == 0)
            memory = (resident_bytes(argv[4]) - before) / count;
        flush(client);
    }
    snprintf(what, sizeof what, "%u routes, one pipelined connection", count);
    bench_print(what, bench_median(ours, ROUNDS), bench_median(bare, ROUNDS), "us/route", 3.0);
    snprintf(what, sizeof what, "%u routes, memory of the service", count);
    bench_print(what, memory, 512, "bytes", 1.0);
    nb_close(client);
    return 0;
}
