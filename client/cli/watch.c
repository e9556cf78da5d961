/* watch: events, one line each, until the connection ends. */
#include "cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A route has outgoing interfaces, a join or a packet only the one that it came in by. */
static void print_flow(const struct nb_value *payload)
{
    const struct nb_value *oifs = nb_value_get(payload, "oifs");
    char line[512];

    printf_safe(" (%s", route_source(payload));
    printf_safe(", %s)", member_text(payload, "group"));
    if (oifs) {
        route_oifs(payload, line, sizeof line);
        printf_safe(" %s", member_text(payload, "iif"));
        printf_safe(" -> %s", line);
    } else if (member_text(payload, "iif")[0]) {
        printf_safe(" on %s", member_text(payload, "iif"));
    }
    if (member_text(payload, "state")[0])
        printf_safe(" [%s]", member_text(payload, "state"));
}

/* What a route lost to another one. */
static void print_lost(const struct nb_value *lost)
{
    if (!nb_value_get(lost, "group"))
        return;
    printf_safe(" lost (%s", route_source(lost));
    printf_safe(", %s)", member_text(lost, "group"));
}

/* How many of what were put right; "table" and "family" say where. */
static void print_healed(const struct nb_value *payload)
{
    static const char *const parts[] = {"restored", "forgotten", "deleted", "vifs", "rules"};
    const char *before = ":";

    printf_safe(" %s", member_text(payload, "family"));
    printf(" table %" PRId64, member_number(payload, "table"));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        int64_t count = member_number(payload, parts[i]);

        if (count <= 0)
            continue;
        printf("%s %s %" PRId64, before, parts[i], count);
        before = ",";
    }
}

/* What a tap is, and where. */
static void print_tap_event(const struct nb_value *payload)
{
    printf_safe(" %s", member_text(payload, "name"));
    if (member_text(payload, "bridge")[0])
        printf_safe(" of %s", member_text(payload, "bridge"));
    printf_safe(" [%s]", member_text(payload, "state"));
}

/* What a relay says of one of its clients. */
static void print_link_event(const struct nb_value *payload)
{
    const char *why = member_text(payload, "why");

    printf_safe(" %s", member_text(payload, "tap"));
    printf(" #%" PRId64, member_number(payload, "port"));
    printf_safe(" %s", member_text(payload, "name"));
    printf_safe(" [%s]", member_text(payload, "framing"));
    if (nb_value_get(payload, "lost"))
        printf(" lost %" PRId64 " frames that it did not read", member_number(payload, "lost"));
    if (why[0])
        printf_safe(": %s", why);
}

static void print_event(struct nb_client *client, const struct nb_reply *event, void *context)
{
    const struct nb_value *payload = nb_reply_payload(event);
    const char *time = member_text(nb_reply_value(event), "time");
    const char *clock = strchr(time, 'T');

    (void)client;
    (void)context;
    printf_safe("%.15s ", clock ? clock + 1 : time);
    printf_safe("%s", nb_reply_event(event));
    if (nb_value_get(payload, "group"))
        print_flow(payload);
    else if (nb_value_get(payload, "mac"))
        print_tap_event(payload);
    else if (nb_value_get(payload, "told_by"))
        print_link_event(payload);
    else if (strcmp(nb_reply_event(event), "mfc.healed") == 0)
        print_healed(payload);
    else if (strcmp(nb_reply_event(event), "lost") == 0)
        printf(": %" PRId64 " events were lost, because this terminal is too slow",
               member_number(payload, "count"));
    print_lost(nb_value_get(payload, "lost"));
    putchar('\n');
    fflush(stdout);
}

static void print_json(struct nb_client *client, const struct nb_reply *event, void *context)
{
    char *line = safe_json(nb_reply_value(event));

    (void)client;
    (void)context;
    puts(line ? line : "");
    fflush(stdout);
    free(line);
}

/* Returns an exit status, or a negative errno of the connection. */
static int subscribe(struct nb_client *client, const struct command_line *line,
                     const struct nb_request *request)
{
    struct nb_reply *reply;
    int status = EXIT_DONE, result = nb_call(client, request, &reply);

    if (result < 0)
        return result;
    if (nb_reply_code(reply))
        status = explain_refusal(line, reply);
    nb_reply_free(reply);
    return status;
}

int watch_events(struct nb_client *client, const struct command_line *line,
                 const struct nb_request *request)
{
    int status;

    nb_set_event_handler(client, line->json ? print_json : print_event, NULL);
    status = subscribe(client, line, request);
    if (status != EXIT_DONE)
        return status;
    nb_set_timeout(client, 0); /* events come when they come */
    nb_wait(client);
    /* Where the service said why it ended the connection, that is the reply to this. */
    return subscribe(client, line, request);
}
