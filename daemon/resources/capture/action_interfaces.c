/* SHOW_CAPTURE_INTERFACES: which interfaces the caller may capture, and what of them. */
#include "broker/guard/scopes.h"
#include "decode.h"
#include "kind.h"

#include <stdio.h>
#include <stdlib.h>

/* What captures are allowed by, also where somebody only asks which. */
static const char verb[] = "raw.capture";

/* The interface behind the last one that was looked at, in the order of their indices: interfaces
 * come and go between two slices of the reply. */
struct cursor {
    const struct captures *captures;
    struct reader reader;
    unsigned ifindex;
};

static const struct netif *next_netif(const struct netifs *netifs, unsigned behind)
{
    const struct netif *netif = NULL, *next = NULL;

    while ((netif = netifs_next(netifs, netif)))
        if (netif->ifindex > behind && (!next || netif->ifindex < next->ifindex))
            next = netif;
    return next;
}

static const char *const type_words[] = {
    [NETIF_TYPE_ETHERNET] = "ethernet",
    [NETIF_TYPE_LOOPBACK] = "loopback",
};

static const char *state_word(const struct netif *netif)
{
    if (!netif->up)
        return "down";
    return netif->running ? "up" : "no-carrier";
}

static void write_scopes(struct json *out, const struct scope *scopes, unsigned count)
{
    json_key(out, "scopes");
    json_open(out, '[');
    for (unsigned i = 0; i < count; i++) {
        json_open(out, '{');
        json_member_string(out, "direction", direction_word(scopes[i].directions));
        json_member_bool(out, "promiscuous", scopes[i].promiscuous);
        if (scopes[i].type_count > 0)
            json_member_ethertypes(out, scopes[i].all_but ? "except" : "ethertypes",
                                   scopes[i].types, scopes[i].type_count);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void write_interface(struct json *out, const struct netif *netif, const struct scope *scopes,
                            unsigned count)
{
    json_open(out, '{');
    json_member_string(out, "interface", netif->name);
    json_member_unsigned(out, "ifindex", netif->ifindex);
    json_member_string(out, "type", type_words[netif->type]);
    json_member_string(out, "state", state_word(netif));
    write_scopes(out, scopes, count);
    json_close(out, '}');
}

/* As for a request: its name can be written, the settings have it, and its frames are Ethernet's.
 */
static bool may_be_named(const struct resource_host *host, const struct netif *netif)
{
    return interface_name_is_valid(netif->name) && netif->type != NETIF_TYPE_OTHER &&
           (!host->config || interface_set_has(&host->config->capture_interfaces, netif->name));
}

/* The policy has a scope for it. */
static bool write_next(void *context, struct json *out)
{
    struct cursor *cursor = context;
    const struct resource_host *host = &cursor->captures->host;
    const struct netif *netif = next_netif(host->netifs, cursor->ifindex);
    struct scope scopes[SCOPES_MAX];
    unsigned count;

    if (!netif)
        return false;
    cursor->ifindex = netif->ifindex;
    if (!may_be_named(host, netif))
        return true;
    count = policy_scopes(cursor->reader.policy, cursor->reader.peer, verb, netif->name, scopes);
    if (count > 0)
        write_interface(out, netif, scopes, count);
    return true;
}

enum outcome handle_show_capture_interfaces(struct call *call,
                                            const struct args_show_capture_interfaces *args)
{
    static const struct reply_list list = {.key = "interfaces", .write_next = write_next};
    struct captures *captures = captures_of(call);
    struct cursor *cursor = malloc(sizeof *cursor);

    (void)args;
    netifs_update(captures->host.netifs);
    if (cursor)
        *cursor = (struct cursor){captures, call_reader(call), 0};
    reply_open(call, "Interfaces that may be captured.");
    return reply_list(call, &list, cursor);
}
