/* Routes added through one pipelined connection, beside the same number of bare setsockopt calls.
 *
 * usage: routes IIF OIF COUNT BROKER-PID   (NETBROKER_SOCKET names the service's socket)
 *
 * The bare loop writes into a multicast routing table of its own in the same network namespace, in
 * turns with the service, so that both see the same machine. Needs CAP_NET_RAW and CAP_NET_ADMIN,
 * for the bare loop only. */
#include "bare.h"
#include "bench.h"
#include "netbroker.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { ROUNDS = 5 };

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
    struct bare_key key = bare_key_of(i);
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
        bare[i] = bare_add(argv[1], argv[2], count) / count;
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
