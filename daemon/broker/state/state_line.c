#include "state_line.h"

#include "broker/resource.h"

#include <stddef.h>

void state_line_write(struct json *json, const struct lease *lease)
{
    char id[LEASE_ID_SIZE];

    json->comma = false;
    json_open(json, '{');
    lease->resource->ops->write_wanted(lease->resource, json);
    json_key(json, "id");
    json_open(json, '{');
    json_member_string(json, "lease", lease_id_format(lease->info.id, id));
    json_member_unsigned(json, "uid", lease->info.uid);
    json_key(json, "since");
    json_number(json, lease->info.since);
    json_member_string(json, "kind", holder_kind_word(lease->kind));
    json_close(json, '}');
    json_close(json, '}');
}

/* The lease, as the request's id has it. Files of the first version know no kinds, and some of them
 * no leases; those of the second may have `interfaces`, which nobody reads. */
struct saved_lease {
    value_word lease, kind, interfaces;
    value_number uid, since;
};

#define FIELD(name, type, need)                                                                    \
    {                                                                                              \
#name, FIELD_##type, need, offsetof(struct saved_lease, name), 0, UINT32_MAX, 0, ""        \
    }

static const struct field lease_fields[] = {
    FIELD(lease, word, REQUIRED), FIELD(uid, number, REQUIRED),      FIELD(since, number, REQUIRED),
    FIELD(kind, word, OPTIONAL),  FIELD(interfaces, word, OPTIONAL),
};

static bool read_lease(const struct span *id, struct holder *ret)
{
    static const struct action_row row = {
        .name = "lease",
        .fields = lease_fields,
        .field_count = sizeof lease_fields / sizeof *lease_fields,
    };
    struct saved_lease saved = {.uid = 0};
    struct error error;

    *ret = (struct holder){.kind = HOLDER_FOUND, .lease = {.uid = LEASE_UID_UNKNOWN}};
    if (!id->start)
        return true;
    if (!decode_fields(&row, id, &saved, &error) ||
        !lease_id_parse(saved.lease.text, &ret->lease.id))
        return false;
    ret->lease.uid = saved.uid;
    ret->lease.since = saved.since;
    if (saved.kind.text[0])
        return holder_kind_find(saved.kind.text, &ret->kind);
    ret->kind = saved.uid == LEASE_UID_UNKNOWN ? HOLDER_FOUND : HOLDER_USER;
    return true;
}

bool state_line_read(const char *line, size_t n, struct saved *ret)
{
    struct error error;

    if (!decode_request(line, n, &ret->request, &error) ||
        !(action_row(ret->request.action)->flags & ACTION_WANTS_LEASE) ||
        !read_lease(&ret->request.id, &ret->holder))
        return false;
    ret->request.id = (struct span){0}; /* the line's bytes are gone soon */
    return true;
}
