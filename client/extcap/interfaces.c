#include "extcap.h"

#include "bounds.h"
#include "scopes.h"

#include <stdio.h>
#include <string.h>

/* Wireshark waits for each program before it shows its list. */
enum { PATIENCE_MS = 500 };

static const char *text_of(const struct nb_value *object, const char *key)
{
    return nb_value_string(nb_value_get(object, key));
}

/* The interfaces that the user may capture; NULL: the service is away, or says no. */
static struct nb_reply *ask(void)
{
    struct nb_request *request = NULL;
    struct nb_client *client = NULL;
    struct nb_reply *reply = NULL;

    if (nb_request_new(&request, "SHOW_CAPTURE_INTERFACES") == 0 &&
        nb_connect_within(&client, NULL, PATIENCE_MS) == 0 &&
        nb_call(client, request, &reply) == 0 && nb_reply_code(reply)) {
        nb_reply_free(reply);
        reply = NULL;
    }
    nb_close(client);
    nb_request_free(request);
    return reply;
}

static const struct nb_value *first(const struct nb_reply *reply)
{
    return nb_value_first(nb_value_get(nb_reply_payload(reply), "interfaces"));
}

/* --- Interfaces ---------------------------------------------------------------------------- */

/* Braces stand around values. */
static bool can_be_told(const struct nb_value *interface)
{
    return !strpbrk(text_of(interface, "interface"), "{}");
}

static void print_interface(const struct nb_value *interface)
{
    const char *name = text_of(interface, "interface"), *state = text_of(interface, "state");
    bool is_up = strcmp(state, "up") == 0;

    printf("interface {value=" PREFIX "%s}{display=netbroker: %s%s%s}\n", name, name,
           is_up ? "" : ", ", is_up ? "" : state);
}

int print_interfaces(void)
{
    struct nb_reply *reply = ask();

    if (!reply)
        return EXIT_DONE;
    puts("extcap {version=" NB_VERSION "}{help=man:" PROGRAM "}{display=netbroker}");
    for (const struct nb_value *one = first(reply); one; one = nb_value_next(one))
        if (can_be_told(one))
            print_interface(one);
    nb_reply_free(reply);
    return EXIT_DONE;
}

int print_dlts(void)
{
    puts("dlt {number=1}{name=EN10MB}{display=Ethernet}");
    return EXIT_DONE;
}

/* --- Options ------------------------------------------------------------------------------- */

/* What of the interface may be asked for. */
struct scopes {
    const struct nb_value *first;
    const char *direction; /* of the first one */
    char types[ETHERTYPES_MAX * 8];
    char all[SCOPES_TEXT_MAX]; /* for people */
};

static void read_scopes(const struct nb_value *interface, struct scopes *ret)
{
    *ret = (struct scopes){.first = nb_value_first(nb_value_get(interface, "scopes")),
                           .direction = "both"};
    if (!ret->first)
        return;
    ret->direction = text_of(ret->first, "direction");
    scope_types_text(nb_value_get(ret->first, "ethertypes"), ret->types, sizeof ret->types);
    scopes_text(nb_value_get(interface, "scopes"), ret->all);
}

static bool has_direction(const struct scopes *scopes, const char *direction)
{
    for (const struct nb_value *scope = scopes->first; scope; scope = nb_value_next(scope)) {
        const char *widest = text_of(scope, "direction");

        if (strcmp(widest, "both") == 0 || strcmp(widest, direction) == 0)
            return true;
    }
    return !scopes->first;
}

static void print_ethertypes(const struct scopes *scopes)
{
    printf("arg {number=0}{call=--ethertypes}{display=EtherTypes}{type=string}");
    if (scopes->types[0])
        printf("{default=%s}", scopes->types);
    else
        printf("{placeholder=all}");
    printf("{tooltip=Only frames of these EtherTypes, such as 0x88ba,goose");
    if (scopes->all[0])
        printf(". You may capture: %s", scopes->all);
    puts("}");
}

/* Of a selector Wireshark does not pass on what is set by default, of radio buttons it does. */
static void print_directions(const struct scopes *scopes)
{
    static const char *const ways[][2] = {{"both", "In and out"}, {"in", "In"}, {"out", "Out"}};

    printf("arg {number=1}{call=--direction}{display=Direction}{type=radio}{default=%s}"
           "{tooltip=Frames that this host receives, or sends}\n",
           scopes->direction);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (has_direction(scopes, ways[i][0]))
            printf("value {arg=1}{value=%s}{display=%s}{default=%s}\n", ways[i][0], ways[i][1],
                   strcmp(ways[i][0], scopes->direction) == 0 ? "true" : "false");
}

static void print_promiscuous(const struct scopes *scopes)
{
    const struct nb_value *scope = scopes->first;

    while (scope && !nb_value_bool(nb_value_get(scope, "promiscuous")))
        scope = nb_value_next(scope);
    if (scope || !scopes->first)
        puts("arg {number=2}{call=--promiscuous}{display=Promiscuous}{type=boolflag}"
             "{default=false}{tooltip=Have the interface receive also frames to other stations}");
}

/* It is the same for all interfaces. */
static void print_rest(void)
{
    printf("arg {number=3}{call=--snaplen}{display=Bytes of a frame}{type=unsigned}"
           "{range=%d,%d}{default=%d}{tooltip=Only so many bytes of each frame}\n",
           SNAPLEN_LEAST, SNAPLEN_MAX, SNAPLEN_MAX);
    printf("arg {number=4}{call=--buffer}{display=Buffer (KiB)}{type=unsigned}"
           "{range=%d,%d}{default=%d}{tooltip=Where frames wait; those that do not fit are lost, "
           "and counted}\n",
           CAPTURE_BYTES_LEAST / 1024, CAPTURE_BYTES_MAX / 1024, CAPTURE_BYTES_DEFAULT / 1024);
    printf("arg {number=5}{call=--latency}{display=Latency (ms)}{type=unsigned}"
           "{range=1,%d}{default=%d}{tooltip=For so long the kernel may collect frames}\n",
           LATENCY_MAX, LATENCY_DEFAULT);
    puts("arg {number=6}{call=--format}{display=Format}{type=selector}"
         "{tooltip=pcapng has the directions of frames and how many were lost}\n"
         "value {arg=6}{value=pcapng}{display=pcapng}{default=true}\n"
         "value {arg=6}{value=pcap}{display=pcap, with nanoseconds}{default=false}");
}

/* The same where the service is away: what the user has set is kept by these names. */
int print_config(const struct options *options)
{
    const char *name = options_interface(options);
    const struct nb_value *interface;
    struct nb_reply *reply;
    struct scopes scopes;

    if (!name)
        return EXIT_USAGE;
    reply = ask();
    interface = first(reply);
    while (interface && strcmp(text_of(interface, "interface"), name) != 0)
        interface = nb_value_next(interface);
    read_scopes(interface, &scopes);
    print_ethertypes(&scopes);
    print_directions(&scopes);
    print_promiscuous(&scopes);
    print_rest();
    nb_reply_free(reply);
    return EXIT_DONE;
}
