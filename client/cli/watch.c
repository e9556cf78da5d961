/* watch: events, one line each, until the connection ends. */
#include "cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text(const struct nb_value *object, const char *key)
{
    return nb_value_string(nb_value_get(object, key));
}

/* A route has outgoing interfaces, a join or a packet only the one that it came in by. */
static void print_flow(const struct nb_value *payload)
{
    const struct nb_value *oifs = nb_value_get(payload, "oifs");
    char line[512];

    printf_safe(" (%s", route_source(payload));
    printf_safe(", %s)", text(payload, "group"));
    if (oifs) {
        route_oifs(payload, line, sizeof line);
        printf_safe(" %s", text(payload, "iif"));
        printf_safe(" -> %s", line);
    } else if (text(payload, "iif")[0]) {
        printf_safe(" on %s", text(payload, "iif"));
    }
    if (text(payload, "state")[0])
        printf_safe(" [%s]", text(payload, "state"));
}

static void print_event(struct nb_client *client, const struct nb_reply *event, void *context)
{
    const struct nb_value *payload = nb_reply_payload(event);
    const char *time = text(nb_reply_value(event), "time");
    const char *clock = strchr(time, 'T');

    (void)client;
    (void)context;
    printf_safe("%.15s ", clock ? clock + 1 : time);
    printf_safe("%s", nb_reply_event(event));
    if (nb_value_get(payload, "group"))
        print_flow(payload);
    else if (strcmp(nb_reply_event(event), "lost") == 0)
        printf(": %" PRId64 " events were lost, because this terminal is too slow",
               nb_value_integer(nb_value_get(payload, "count")));
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

int watch_events(struct nb_client *client, const struct command_line *line,
                 const struct nb_request *request)
{
    struct nb_reply *reply;
    int result, status = EXIT_DONE;

    nb_set_event_handler(client, line->json ? print_json : print_event, NULL);
    result = nb_call(client, request, &reply);
    if (result == 0) {
        if (nb_reply_code(reply))
            status = explain_refusal(line, reply);
        nb_reply_free(reply);
    }
    nb_set_timeout(client, 0); /* events come when they come */
    if (result == 0 && status == EXIT_DONE)
        result = nb_wait(client);
    return result < 0 ? result : status;
}
