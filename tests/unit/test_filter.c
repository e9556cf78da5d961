/* Filters: what libpcap compiles runs here as it runs there, and what no program may be is
 * refused. */
#include "filter/filter.h"
#include "suite.h"

#include <pcap/pcap.h>

#include <stdlib.h>
#include <string.h>

enum { FRAME = 96, FRAMES = 400 };

static void compile(const char *expression, struct program *ret)
{
    pcap_t *pcap = pcap_open_dead(DLT_EN10MB, SNAPLEN_MAX);
    struct bpf_program program;

    ck_assert_ptr_nonnull(pcap);
    ck_assert_msg(pcap_compile(pcap, &program, expression, 1, PCAP_NETMASK_UNKNOWN) == 0, "%s: %s",
                  expression, pcap_geterr(pcap));
    ck_assert_uint_le(program.bf_len, PROGRAM_MAX);
    ret->count = program.bf_len;
    for (unsigned i = 0; i < program.bf_len; i++)
        ret->instructions[i] =
            (struct instruction){program.bf_insns[i].code, program.bf_insns[i].jt,
                                 program.bf_insns[i].jf, program.bf_insns[i].k};
    pcap_freecode(&program);
    pcap_close(pcap);
}

/* As libpcap does it. */
static uint32_t run_theirs(const struct program *program, const uint8_t *frame, uint32_t captured,
                           uint32_t length)
{
    struct bpf_insn insns[PROGRAM_MAX];

    for (uint32_t i = 0; i < program->count; i++)
        insns[i] = (struct bpf_insn){program->instructions[i].code, program->instructions[i].jt,
                                     program->instructions[i].jf, program->instructions[i].k};
    return bpf_filter(insns, frame, length, captured);
}

static bool is_theirs(const struct program *program)
{
    struct bpf_insn insns[PROGRAM_MAX];

    for (uint32_t i = 0; i < program->count; i++)
        insns[i] = (struct bpf_insn){program->instructions[i].code, program->instructions[i].jt,
                                     program->instructions[i].jf, program->instructions[i].k};
    return bpf_validate(insns, (int)program->count) != 0;
}

/* A frame that some of the expressions below like. */
static void make_frame(uint8_t frame[FRAME], unsigned seed)
{
    static const uint8_t types[][2] = {{8, 0}, {8, 6}, {0x86, 0xdd}, {0x81, 0}, {0x88, 0xba}};

    srand(seed);
    for (int i = 0; i < FRAME; i++)
        frame[i] = (uint8_t)rand();
    memcpy(frame + 12, types[seed % 5], 2);
    if (seed % 3 == 0)
        memcpy(frame + 16, types[seed / 3 % 5], 2);
    frame[14] = seed % 2 ? 0x45 : frame[14];
    frame[23] = seed % 4 ? 17 : 6;
    if (seed % 2)
        memcpy(frame + 26, "\x0a\x00\x00\x01", 4);
    if (seed % 7 == 0)
        memcpy(frame + 34, "\x00\x35\x00\x35", 4);
}

static const char *const expressions[] = {
    "ip",
    "arp",
    "not ip6",
    "udp port 53",
    "host 10.0.0.1",
    "net 10.0.0.0/8 and not tcp",
    "vlan 100",
    "vlan and ip",
    "ether proto 0x88ba",
    "ether host 02:00:00:00:00:01",
    "ether multicast",
    "greater 100",
    "len < 64",
    "ip[0] & 0xf != 5",
    "ip[2:2] * 2 > 300 or ip[8] / 3 = 7",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
    "udp[4:2] % 7 = 1",
    "icmp6 or port 443",
    "portrange 1000-2000",
    "ip proto 17 and ip[6:2] & 0x1fff = 0",
    "(ip[1] << 2) ^ 5 = 1 or -ip[3] > 7",
};

START_TEST(it_does_what_libpcap_does)
{
    struct program program = {0};
    uint8_t frame[FRAME];
    uint32_t at;

    compile(expressions[_i], &program);
    ck_assert_ptr_null(filter_judge(&program, &at));
    for (unsigned seed = 0; seed < FRAMES; seed++) {
        uint32_t captured = seed % 5 ? FRAME : seed % FRAME;

        make_frame(frame, seed);
        ck_assert_msg(filter_run(&program, frame, captured, FRAME) ==
                          run_theirs(&program, frame, captured, FRAME),
                      "%s, frame %u", expressions[_i], seed);
    }
}
END_TEST

/* Random programs that are right by both: they have the same results, and end. */
START_TEST(any_program_does_what_libpcap_does)
{
    static const uint16_t codes[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x20, 0x28,
                                     0x30, 0x40, 0x48, 0x50, 0x60, 0x61, 0x80, 0x81, 0xb1, 0x0c,
                                     0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x44, 0x4c, 0x54, 0x5c,
                                     0x64, 0x6c, 0x74, 0x7c, 0x84, 0x94, 0x9c, 0xa4, 0xac, 0x15,
                                     0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d, 0x16, 0x87};
    unsigned same = 0;
    uint8_t frame[FRAME];

    make_frame(frame, 1);
    srand((unsigned)_i);
    for (int round = 0; round < 4000; round++) {
        struct program program = {.count = 2 + (uint32_t)rand() % 12};
        uint32_t at;

        for (uint32_t i = 0; i < program.count; i++)
            program.instructions[i] = (struct instruction){
                codes[(unsigned)rand() % (sizeof codes / sizeof *codes)], (uint8_t)(rand() % 4),
                (uint8_t)(rand() % 4), rand() % 3 ? (uint32_t)rand() % 40 : (uint32_t)rand()};
        /* Memory that was not written to is 0 here, and anything there. */
        for (uint32_t i = 0; i < program.count; i++)
            if (program.instructions[i].code == 0x60 || program.instructions[i].code == 0x61)
                program.instructions[i].k = 0;
        program.instructions[0] = (struct instruction){0x02, 0, 0, 0};
        program.instructions[program.count - 1].code = 0x16;
        if (filter_judge(&program, &at))
            continue;
        ck_assert(is_theirs(&program));
        ck_assert_uint_eq(filter_run(&program, frame, FRAME, FRAME),
                          run_theirs(&program, frame, FRAME, FRAME));
        same++;
    }
    ck_assert_uint_gt(same, 300);
}
END_TEST

#define RETURN                                                                                     \
    {                                                                                              \
        0x06, 0, 0, 1                                                                              \
    }

static const struct {
    struct program program;
    uint32_t at;
    const char *why;
} wrong[] = {
    {{1, {{0x05, 0, 0, 0}}}, 0, "jumps out"},
    {{2, {{0x05, 0, 0, 1}, RETURN}}, 0, "jumps out"},
    {{2, {{0x05, 0, 0, UINT32_MAX}, RETURN}}, 0, "jumps out"},
    {{2, {{0x15, 1, 0, 0}, RETURN}}, 0, "jumps out"},
    {{2, {{0x15, 0, 1, 0}, RETURN}}, 0, "jumps out"},
    {{2, {{0x60, 0, 0, 16}, RETURN}}, 0, "16 words"},
    {{2, {{0x61, 0, 0, 16}, RETURN}}, 0, "16 words"},
    {{2, {{0x02, 0, 0, 16}, RETURN}}, 0, "16 words"},
    {{2, {{0x03, 0, 0, UINT32_MAX}, RETURN}}, 0, "16 words"},
    {{2, {{0x34, 0, 0, 0}, RETURN}}, 0, "divides by 0"},
    {{2, {{0x94, 0, 0, 0}, RETURN}}, 0, "divides by 0"},
    {{2, {{0x64, 0, 0, 32}, RETURN}}, 0, "shifts"},
    {{2, {{0x74, 0, 0, 99}, RETURN}}, 0, "shifts"},
    {{1, {{0x00, 0, 0, 1}}}, 0, "no return"},
    {{3, {{0x00, 0, 0, 1}, RETURN, {0x00, 0, 0, 1}}}, 2, "no return"},
    {{2, {{0xffff, 0, 0, 1}, RETURN}}, 0, "no such"},
    {{2, {RETURN, {0x0e, 0, 0, 1}}}, 1, "no such"},
};

START_TEST(what_is_wrong_is_told_by_its_place)
{
    uint32_t at = 99;
    const char *why = filter_judge(&wrong[_i].program, &at);

    ck_assert_ptr_nonnull(why);
    ck_assert_ptr_nonnull(strstr(why, wrong[_i].why));
    ck_assert_uint_eq(at, wrong[_i].at);
}
END_TEST

/* A program of nothing takes all; one that divides by an index of 0, or reads beyond the frame,
 * takes nothing. */
START_TEST(the_edges)
{
    const struct program none = {0};
    const struct program by_index = {3, {{0x01, 0, 0, 0}, {0x3c, 0, 0, 0}, RETURN}};
    const struct program beyond = {2, {{0x20, 0, 0, UINT32_MAX}, RETURN}};
    const struct program far = {3, {{0x01, 0, 0, UINT32_MAX}, {0x50, 0, 0, 1}, RETURN}};
    const struct program last = {2, {{0x20, 0, 0, 10}, RETURN}};
    static const uint8_t frame[14];

    ck_assert_uint_eq(filter_run(&none, frame, 14, 14), UINT32_MAX);
    ck_assert_uint_eq(filter_run(&by_index, frame, 14, 14), 0);
    ck_assert_uint_eq(filter_run(&beyond, frame, 14, 14), 0);
    ck_assert_uint_eq(filter_run(&far, frame, 14, 14), 0);
    ck_assert_uint_eq(filter_run(&last, frame, 14, 14), 1);
    ck_assert_uint_eq(filter_run(&last, frame, 13, 14), 0);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, it_does_what_libpcap_does, 0,
                        (int)(sizeof expressions / sizeof *expressions));
    tcase_add_loop_test(tests, any_program_does_what_libpcap_does, 0, 4);
    tcase_add_loop_test(tests, what_is_wrong_is_told_by_its_place, 0,
                        (int)(sizeof wrong / sizeof *wrong));
    tcase_add_test(tests, the_edges);
}

int main(void)
{
    return suite_run("filter", add_tests);
}
