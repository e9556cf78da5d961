#include "filter.h"

#include "bounds.h"

#include <pcap/pcap.h>

#include <stdio.h>
#include <stdlib.h>

enum { DIGITS = 16 };

static char *write_program(const struct bpf_program *program)
{
    char *text = malloc((size_t)program->bf_len * DIGITS + 1);

    if (!text)
        return NULL;
    text[0] = '\0';
    for (unsigned i = 0; i < program->bf_len; i++) {
        const struct bpf_insn *one = &program->bf_insns[i];

        snprintf(text + (size_t)i * DIGITS, DIGITS + 1, "%04x%02x%02x%08x", one->code, one->jt,
                 one->jf, one->k);
    }
    return text;
}

static char *compile(pcap_t *pcap, const char *expression, char problem[FILTER_PROBLEM_MAX])
{
    struct bpf_program program;
    char *text = NULL;

    if (pcap_compile(pcap, &program, expression, 1, PCAP_NETMASK_UNKNOWN) < 0) {
        snprintf(problem, FILTER_PROBLEM_MAX, "%s", pcap_geterr(pcap));
        return NULL;
    }
    if (program.bf_len > PROGRAM_MAX)
        snprintf(problem, FILTER_PROBLEM_MAX,
                 "it is too long: %u instructions, and the service takes %d", program.bf_len,
                 PROGRAM_MAX);
    else if (!(text = write_program(&program)))
        snprintf(problem, FILTER_PROBLEM_MAX, "out of memory");
    pcap_freecode(&program);
    return text;
}

/* Of frames as they are in a file: with their tags in place, and nothing beside them. */
char *capture_filter_compile(const char *expression, uint32_t snaplen,
                             char problem[FILTER_PROBLEM_MAX])
{
    pcap_t *pcap = pcap_open_dead(DLT_EN10MB, (int)snaplen);
    char *text;

    if (!pcap) {
        snprintf(problem, FILTER_PROBLEM_MAX, "out of memory");
        return NULL;
    }
    text = compile(pcap, expression, problem);
    pcap_close(pcap);
    return text;
}
