#include "state_line.h"

#include "route_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- Writing ------------------------------------------------------------------------------- */

static void write_args(struct json *json, const struct route_view *view)
{
    json_open(json, '{');
    route_json_write(json, view);
    if (view->idle)
        json_member_unsigned(json, "idle", view->idle);
    json_member_unsigned(json, "table", view->table);
    json_close(json, '}');
}

static uint64_t interfaces_of(const struct route_view *view)
{
    uint64_t digest = state_digest_index(STATE_DIGEST_START, view->iif_index);

    for (uint32_t i = 0; i < view->oif_count; i++)
        digest = state_digest_index(digest, view->oifs[i].index);
    return digest;
}

/* interfaces is 0 for a join, whose line does not say. */
static void write_hold(struct json *json, const struct hold *hold, uint64_t interfaces)
{
    char id[LEASE_ID_SIZE], digest[17];

    json_key(json, "id");
    json_open(json, '{');
    json_member_string(json, "lease", lease_id_format(hold->lease.id, id));
    json_member_unsigned(json, "uid", hold->lease.uid);
    json_key(json, "since");
    json_number(json, hold->lease.since);
    json_member_string(json, "kind", hold_kind_word(hold->kind));
    if (interfaces) {
        snprintf(digest, sizeof digest, "%016" PRIx64, interfaces);
        json_member_string(json, "interfaces", digest);
    }
    json_close(json, '}');
}

void state_line_write(struct json *json, const struct route_view *view, const struct hold *hold)
{
    json->comma = false;
    json_open(json, '{');
    json_member_string(json, "action", "ADD_MFC");
    json_key(json, "payload");
    write_args(json, view);
    write_hold(json, hold, interfaces_of(view));
    json_close(json, '}');
    json_bytes(json, "\n", 1);
}

void state_line_write_join(struct json *json, const struct join_view *view, const struct hold *hold)
{
    char text[PREFIX_TEXT_MAX];

    json->comma = false;
    json_open(json, '{');
    json_member_string(json, "action", "ADD_JOIN");
    json_key(json, "payload");
    json_open(json, '{');
    if (view->key->source.address.family)
        json_member_string(json, "source", prefix_format(&view->key->source, text));
    json_member_string(json, "group", prefix_format(&view->key->group, text));
    json_member_string(json, "iif", view->key->iif.text);
    json_close(json, '}');
    write_hold(json, hold, 0);
    json_close(json, '}');
    json_bytes(json, "\n", 1);
}

/* --- Reading ------------------------------------------------------------------------------- */

static bool parse_kind(const char *word, struct owner *owner)
{
    for (enum hold_kind kind = 0; kind < HOLD_KIND_COUNT; kind++)
        if (strcmp(hold_kind_word(kind), word) == 0) {
            owner->kind = kind;
            return true;
        }
    return false;
}

/* Reads the hold out of a request's id. Files of the first version know no kinds, and some of them
 * no holds; and not all know what the names meant. */
static bool parse_hold(const struct span *id, struct owner *ret, uint64_t *ret_interfaces)
{
    char text[160], digits[LEASE_ID_SIZE], kind[16] = "";
    long long since;
    unsigned uid;

    *ret_interfaces = 0;
    *ret = (struct owner){.kind = HOLD_FOUND, .lease = {.uid = LEASE_UID_UNKNOWN}};
    if (!id->start)
        return true;
    if (id->length >= sizeof text)
        return false;
    memcpy(text, id->start, id->length);
    text[id->length] = '\0';
    if (sscanf(text,
               "{\"lease\":\"%12[0-9a-f]\",\"uid\":%u,\"since\":%lld,\"kind\":\"%15[a-z]\","
               "\"interfaces\":\"%16" SCNx64 "\"}",
               digits, &uid, &since, kind, ret_interfaces) < 3 ||
        !lease_id_parse(digits, &ret->lease.id))
        return false;
    ret->lease.uid = uid;
    ret->lease.since = since;
    if (!kind[0])
        ret->kind = uid == LEASE_UID_UNKNOWN ? HOLD_FOUND : HOLD_USER;
    return !kind[0] || parse_kind(kind, ret);
}

bool state_line_read(const char *line, size_t n, struct saved *ret)
{
    struct error error;

    if (!decode_request(line, n, &ret->request, &error) ||
        !parse_hold(&ret->request.id, &ret->owner, &ret->interfaces))
        return false;
    if (ret->request.action == ACTION_ADD_MFC) {
        ret->request.args.add_mfc.wait = true;
        ret->request.args.add_mfc.dry_run = false;
    } else if (ret->request.action != ACTION_ADD_JOIN) {
        return false;
    }
    ret->request.id = (struct span){0}; /* the line's bytes are gone soon */
    return true;
}

uint64_t state_digest(uint64_t digest, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        digest = (digest ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    return digest;
}

uint64_t state_digest_index(uint64_t digest, unsigned index)
{
    return state_digest(digest, (const char *)&index, sizeof index);
}
