/* Prints what a frame costs in the switch: nanoseconds, beside the same in the smallest one, which
 * has two ports with a MAC each, in the same run. What others have of the processors is not meant:
 * it is the time that a tenth of the rounds keep within.
 *
 * usage: bench-switch */
#include "switch/switch.h"
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROUNDS = 50,
    FRAMES = 1 << 14, /* that were prepared */
    CHUNK = 64,       /* frames between two readings of the clock */
    FRAME_BYTES = 60,
    PORTS_AT_MOST = 64,
    MACS_OF_FLOOD = 1000, /* that the port which floods may have */
};

/* A header in the least room that holds one. */
struct header {
    uint8_t bytes[16];
};

struct bench {
    unsigned ports, macs; /* a MAC's port is the remainder of its number by ports */
    struct ether_switch *sw;
    void *memory;
    struct header headers[FRAMES];
    unsigned ingress[FRAMES];
    double ns[ROUNDS];
};

static uint64_t now = 1;
static volatile unsigned sink;

static uint32_t random_number(void)
{
    static uint64_t state = 88172645463325252;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 16);
}

static void write_mac(uint8_t *bytes, uint32_t number)
{
    bytes[0] = 0x02;
    bytes[1] = 0;
    for (int i = 0; i < 4; i++)
        bytes[2 + i] = (uint8_t)(number >> (24 - 8 * i));
}

static void forward(struct bench *bench, unsigned ingress, const struct header *header)
{
    struct switch_verdict verdict;

    switch_forward(bench->sw, now, ingress, header->bytes, FRAME_BYTES, &verdict);
    sink += verdict.way;
}

static void learn_all(struct bench *bench)
{
    struct header header;

    memset(&header, 0xff, sizeof header);
    for (uint32_t i = 0; i < bench->macs; i++) {
        write_mac(header.bytes + SWITCH_MAC_BYTES, i);
        forward(bench, i % bench->ports, &header);
    }
}

/* Frames between any two stations of different ports, or to all. */
static void prepare(struct bench *bench, bool to_all)
{
    for (unsigned i = 0; i < FRAMES; i++) {
        uint32_t from = random_number() % bench->macs, to;

        do
            to = random_number() % bench->macs;
        while (to % bench->ports == from % bench->ports);
        write_mac(bench->headers[i].bytes, to);
        if (to_all)
            memset(bench->headers[i].bytes, 0xff, SWITCH_MAC_BYTES);
        write_mac(bench->headers[i].bytes + SWITCH_MAC_BYTES, from);
        bench->ingress[i] = from % bench->ports;
    }
}

/* With one port more, for who floods. */
static struct bench *bench_new(unsigned ports, unsigned macs, bool to_all)
{
    const struct switch_config config = {
        .ports = ports + 1, .macs = macs + ports + MACS_OF_FLOOD, .seed = {1, 2}};
    const struct switch_port flooder = {.macs = MACS_OF_FLOOD},
                             plain = {.macs = (macs + ports - 1) / ports};
    struct bench *bench = bench_array(1, sizeof *bench);
    size_t bytes = switch_bytes(config.ports, config.macs);

    bench->ports = ports;
    bench->macs = macs;
    bench->memory = bench_array(1, bytes);
    bench->sw = switch_init(bench->memory, bytes, &config);
    bench_require(bench->sw != NULL, "a switch");
    for (unsigned i = 0; i < ports; i++)
        bench_require(switch_attach(bench->sw, now, i, &plain), "a port");
    if (ports < PORTS_AT_MOST)
        bench_require(switch_attach(bench->sw, now, ports, &flooder), "a port that floods");
    learn_all(bench);
    prepare(bench, to_all);
    return bench;
}

static void flood(struct bench *bench)
{
    struct header header;

    memset(&header, 0xff, sizeof header);
    for (int i = 0; i < CHUNK; i++) {
        write_mac(header.bytes + SWITCH_MAC_BYTES, random_number() | UINT32_C(1) << 31);
        forward(bench, bench->ports, &header);
    }
}

/* All frames once; of the flood between them, the time does not count, unless it is all that does.
 */
enum part { STATIONS, STATIONS_IN_FLOOD, FLOOD_ALONE };

static double run_once(struct bench *bench, enum part part)
{
    double us = 0;

    for (unsigned i = 0; i < FRAMES; i += CHUNK) {
        double start = bench_now(), middle;

        if (part != STATIONS)
            flood(bench);
        middle = bench_now();
        for (unsigned j = i; j < i + CHUNK && part != FLOOD_ALONE; j++)
            forward(bench, bench->ingress[j], &bench->headers[j]);
        us += part == FLOOD_ALONE ? middle - start : bench_now() - middle;
        now += 1000;
    }
    return us * 1000 / FRAMES;
}

/* The first time fills the processor's caches. */
static double run(struct bench *bench, enum part part)
{
    run_once(bench, part);
    return run_once(bench, part);
}

static unsigned count_lost(const struct bench *bench)
{
    unsigned lost = 0;

    for (uint32_t i = 0; i < bench->macs; i++) {
        struct switch_mac found;
        uint8_t mac[SWITCH_MAC_BYTES];

        write_mac(mac, i);
        lost += !switch_find(bench->sw, now, mac, &found) || found.port != i % bench->ports;
    }
    return lost;
}

static const struct {
    const char *what;
    unsigned ports, macs;
    bool to_all;
    enum part part;
    double target; /* times the smallest */
} cases[] = {
    {"2 ports, 2 MACs", 2, 2, false, STATIONS, 1.1},
    {"8 ports, 8 MACs", 8, 8, false, STATIONS, 1.5},
    {"64 ports, 64 MACs", 64, 64, false, STATIONS, 1.5},
    {"8 ports, 1,000 MACs", 8, 1000, false, STATIONS, 2.5},
    {"8 ports, 10,000 MACs", 8, 10000, false, STATIONS, 5},
    {"64 ports, 10,000 MACs", 64, 10000, false, STATIONS, 5},
    {"8 ports, 1,000 MACs, others' frames in a flood", 8, 1000, false, STATIONS_IN_FLOOD, 5},
    {"8 ports, 1,000 MACs, the flood's frames", 8, 1000, false, FLOOD_ALONE, 10},
    {"2 ports, to all", 2, 2, true, STATIONS, 1.5},
    {"8 ports, to all", 8, 8, true, STATIONS, 2},
    {"63 ports, to all", 63, 63, true, STATIONS, 20},
};

enum { CASES = sizeof cases / sizeof *cases };

int main(void)
{
    struct bench *smallest = bench_new(2, 2, false), *benches[CASES];
    unsigned lost = 0;

    for (int i = 0; i < CASES; i++)
        benches[i] = bench_new(cases[i].ports, cases[i].macs, cases[i].to_all);
    for (int round = 0; round < ROUNDS; round++) {
        smallest->ns[round] = run(smallest, STATIONS);
        for (int i = 0; i < CASES; i++)
            benches[i]->ns[round] = run(benches[i], cases[i].part);
    }
    printf("%-44s %10s %10s %-9s %5s  target\n", "what a frame costs", "this", "smallest", "",
           "ratio");
    for (int i = 0; i < CASES; i++) {
        bench_print(cases[i].what, bench_quantile(benches[i]->ns, ROUNDS, 0.1),
                    bench_quantile(smallest->ns, ROUNDS, 0.1), "ns", cases[i].target);
        lost += count_lost(benches[i]);
        free(benches[i]->memory);
        free(benches[i]);
    }
    free(smallest->memory);
    free(smallest);
    bench_judge("MACs of others that a flood made unknown", lost, "MACs", AT_MOST, 0);
    return 0;
}
