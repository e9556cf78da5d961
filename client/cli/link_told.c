#include "link_told.h"

#include "json.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 4096 };

/* --- A line of JSON ------------------------------------------------------------------------ */

static void begin_object(struct json *json, const char *event)
{
    *json = (struct json){.limit = LINE_MAX_BYTES};
    json_open(json, '{');
    json_member_string(json, "event", event);
}

static FILE *output(const struct link_told *told)
{
    return told->out ? told->out : stdout;
}

static void print_object(const struct link_told *told, struct json *json)
{
    json_close(json, '}');
    if (!json->failed) {
        fwrite(json->text, 1, json->length, output(told));
        putc('\n', output(told));
        fflush(output(told));
    }
    json_clear(json);
}

static void add_port(struct json *json, const struct link_told *told, const struct link_port *port)
{
    json_member_unsigned(json, "port", port->number);
    json_member_string(json, "name", port->number == LINK_TAP ? told->tap : port->name);
    if (port->framing[0])
        json_member_string(json, "framing", port->framing);
    if (port->pid > 0) {
        json_member_unsigned(json, "pid", (uint64_t)port->pid);
        json_member_unsigned(json, "uid", port->uid);
    }
}

/* --- Events -------------------------------------------------------------------------------- */

static void print_port(const struct link_port *port)
{
    fputs("netbroker: ", stderr);
    print_safe(stderr, port->name);
    fprintf(stderr, " #%u", port->number);
    if (port->pid > 0)
        fprintf(stderr, " (process %ld)", (long)port->pid);
}

static void on_attached(struct link *link, const struct link_port *port, void *context)
{
    const struct link_told *told = context;
    struct json json;

    (void)link;
    link_news_attached(told->news);
    if (told->line->json) {
        begin_object(&json, "attached");
        add_port(&json, told, port);
        print_object(told, &json);
        return;
    }
    print_port(port);
    fputs(" is there.\n", stderr);
}

static void on_detached(struct link *link, const struct link_port *port, const char *why,
                        void *context)
{
    const struct link_told *told = context;
    struct json json;

    (void)link;
    link_news_detached(told->news, port, why);
    if (told->line->json) {
        begin_object(&json, "detached");
        add_port(&json, told, port);
        json_member_string(&json, "why", why);
        json_member_unsigned(&json, "dropped", port->to.dropped);
        print_object(told, &json);
        return;
    }
    print_port(port);
    fputs(" is gone: ", stderr);
    print_safe(stderr, why);
    if (port->to.dropped)
        fprintf(stderr, "; it lost %llu frames that it did not read",
                (unsigned long long)port->to.dropped);
    fputs(".\n", stderr);
}

static void on_warned(struct link *link, const char *sentence, void *context)
{
    const struct link_told *told = context;
    struct json json;

    (void)link;
    if (told->line->json) {
        begin_object(&json, "warning");
        json_member_string(&json, "message", sentence);
        print_object(told, &json);
        return;
    }
    fputs("netbroker: ", stderr);
    print_safe(stderr, sentence);
    fputs(".\n", stderr);
}

static void on_report(struct link *link, void *context)
{
    link_tell_counters(link, context);
}

const struct link_events link_told_events = {
    .attached = on_attached,
    .detached = on_detached,
    .warned = on_warned,
    .report = on_report,
};

/* --- Counters ------------------------------------------------------------------------------ */

static const struct {
    const char *key;
    size_t offset;
} counters[] = {
#define C(name)                                                                                    \
    {                                                                                              \
#name, offsetof(struct framing_counts, name)                                               \
    }
    C(frames), C(bytes), C(zero), C(undersize), C(oversize), C(uncarried), C(invalid), C(dropped),
#undef C
};

static void add_counts(struct json *json, const char *key, const struct framing_counts *counts)
{
    json_key(json, key);
    json_open(json, '{');
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
        json_member_unsigned(json, counters[i].key,
                             *(const uint64_t *)((const char *)counts + counters[i].offset));
    json_close(json, '}');
}

static void add_drops(struct json *json, const struct switch_counters *flow)
{
    json_key(json, "switch_drops");
    json_open(json, '{');
    for (enum switch_drop reason = SWITCH_NOT_DROPPED + 1; reason < SWITCH_DROP_COUNT; reason++)
        if (flow->drops[reason])
            json_member_unsigned(json, switch_drop_word(reason), flow->drops[reason]);
    json_close(json, '}');
}

static void print_counters_object(const struct link_told *told, const struct link_port *port)
{
    struct json json;

    begin_object(&json, "counters");
    add_port(&json, told, port);
    add_counts(&json, "from", &port->from);
    add_counts(&json, "to", &port->to);
    json_member_unsigned(&json, "pending", port->pending);
    add_drops(&json, &port->flow);
    print_object(told, &json);
}

/* Zeros say nothing: only what there is of other counters is printed. */
static void print_counts(FILE *out, const char *way, const struct framing_counts *counts)
{
    fprintf(out, " %s %llu frames, %llu bytes", way, (unsigned long long)counts->frames,
            (unsigned long long)counts->bytes);
    for (size_t i = 2; i < sizeof counters / sizeof *counters; i++) {
        uint64_t value = *(const uint64_t *)((const char *)counts + counters[i].offset);

        if (value)
            fprintf(out, ", %llu %s", (unsigned long long)value, counters[i].key);
    }
}

static void print_counters(const struct link_port *port, void *context)
{
    const struct link_told *told = context;
    FILE *out = output(told);

    if (told->line->json) {
        print_counters_object(told, port);
        return;
    }
    print_safe(out, port->number == LINK_TAP ? told->tap : port->name);
    if (port->number != LINK_TAP)
        fprintf(out, " #%u", port->number);
    putc(':', out);
    print_counts(out, "from", &port->from);
    putc(';', out);
    print_counts(out, "to", &port->to);
    putc('\n', out);
}

void link_tell_counters(struct link *link, const struct link_told *told)
{
    link_visit(link, print_counters, (void *)told);
    fflush(output(told));
}

/* --- Beginning and end --------------------------------------------------------------------- */

void link_tell_ready(const struct link_told *told, const char *mac, const char *where,
                     const struct link_options *options)
{
    const char *framing = framing_row(options->framing)->name;
    FILE *out = output(told);
    struct json json;

    if (told->line->json) {
        begin_object(&json, "ready");
        json_member_string(&json, "tap", told->tap);
        json_member_string(&json, "mac", mac);
        json_member_string(&json, "where", where);
        json_member_string(&json, "framing", framing);
        if (told->offload)
            json_member_bool(&json, "offload", true);
        print_object(told, &json);
        return;
    }
    print_safe(out, told->tap[0] ? told->tap : "a link without a tap");
    if (mac[0]) {
        fputs(" (", out);
        print_safe(out, mac);
        putc(')', out);
    }
    fputs(" is linked to ", out);
    print_safe(out, where);
    fprintf(out, told->offload ? " (%s, offload).\n" : " (%s).\n", framing);
    fflush(out);
}

int link_tell_end(struct link *link, const struct link_told *told, int result)
{
    if (result == 0)
        return EXIT_DONE;
    report(told->line, &(struct fault){.code = "gone"}, "%s.", link_problem(link));
    return EXIT_REFUSED;
}
