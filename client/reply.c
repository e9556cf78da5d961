/* A reply is a tree of cJSON; nb_value is its node under another name, so that the public header
 * does not depend on cJSON's. */
#include "reply.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct nb_reply {
    cJSON *json;           /* owned */
    const cJSON *fds;      /* of it: the list of names; NULL: there is none */
    struct passed *passed; /* owned; those that were taken are -1; NULL: none came */
};

static const cJSON *to_json(const struct nb_value *value)
{
    return (const cJSON *)value;
}

static const struct nb_value *to_value(const cJSON *json)
{
    return (const struct nb_value *)json;
}

static const cJSON *reply_json(const struct nb_reply *reply)
{
    return reply ? reply->json : NULL;
}

static bool is_reply(const cJSON *json)
{
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(json, "status");

    return cJSON_IsString(status) ||
           cJSON_IsString(cJSON_GetObjectItemCaseSensitive(json, "event"));
}

static bool names_are_strings(const cJSON *names)
{
    const cJSON *name;

    cJSON_ArrayForEach(name, names)
    {
        if (!cJSON_IsString(name))
            return false;
    }
    return !names || cJSON_IsArray(names);
}

int reply_parse(struct nb_reply **ret_reply, const char *bytes, size_t length)
{
    cJSON *json = cJSON_ParseWithLength(bytes, length);
    const cJSON *fds = cJSON_GetObjectItemCaseSensitive(json, "fds");
    bool valid = is_reply(json) && names_are_strings(fds);
    struct nb_reply *reply = valid ? calloc(1, sizeof *reply) : NULL;

    if (!reply) {
        cJSON_Delete(json);
        return valid ? -ENOMEM : -EBADMSG;
    }
    *reply = (struct nb_reply){.json = json, .fds = fds};
    *ret_reply = reply;
    return 0;
}

void passed_free(struct passed *passed)
{
    if (passed)
        fdpass_close(&passed->list);
    free(passed);
}

void nb_reply_free(struct nb_reply *reply)
{
    if (!reply)
        return;
    cJSON_Delete(reply->json);
    passed_free(reply->passed);
    free(reply);
}

size_t reply_fd_count(const struct nb_reply *reply)
{
    return (size_t)cJSON_GetArraySize(reply->fds);
}

void reply_give_fds(struct nb_reply *reply, struct passed *passed)
{
    reply->passed = passed;
}

/* Of those that are incomplete, it is not known which are missing, and there may be more names than
 * places. */
static int take_fd(struct passed *passed, size_t place)
{
    int fd;

    if (passed->list.incomplete)
        return -EMFILE;
    fd = passed->list.fds[place];
    passed->list.fds[place] = -1;
    return fd < 0 ? -ENOENT : fd;
}

int nb_reply_fd(const struct nb_reply *reply, const char *name)
{
    const cJSON *item;
    size_t place = 0;

    if (!reply || !name)
        return -EINVAL;
    cJSON_ArrayForEach(item, reply->fds)
    {
        int fd = strcmp(item->valuestring, name) == 0 ? take_fd(reply->passed, place) : -ENOENT;

        if (fd != -ENOENT)
            return fd;
        place++;
    }
    return -ENOENT;
}

const char *nb_reply_code(const struct nb_reply *reply)
{
    const struct nb_value *value = nb_reply_value(reply);
    const char *code = nb_value_string(nb_value_get(value, "code"));
    const char *status = nb_value_string(nb_value_get(value, "status"));

    if (reply && status[0] != 'e')
        return NULL;
    return code[0] ? code : "internal";
}

const char *nb_reply_message(const struct nb_reply *reply)
{
    return nb_value_string(nb_value_get(nb_reply_value(reply), "message"));
}

const char *nb_reply_field(const struct nb_reply *reply)
{
    return nb_value_string(nb_value_get(nb_reply_value(reply), "field"));
}

const char *nb_reply_event(const struct nb_reply *reply)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(reply_json(reply), "event"));
}

const struct nb_value *nb_reply_payload(const struct nb_reply *reply)
{
    return nb_value_get(nb_reply_value(reply), "payload");
}

const struct nb_value *nb_reply_value(const struct nb_reply *reply)
{
    return to_value(reply_json(reply));
}

const struct nb_value *nb_value_get(const struct nb_value *value, const char *key)
{
    return to_value(cJSON_GetObjectItemCaseSensitive(to_json(value), key));
}

const struct nb_value *nb_value_first(const struct nb_value *value)
{
    return value ? to_value(to_json(value)->child) : NULL;
}

const struct nb_value *nb_value_next(const struct nb_value *value)
{
    return value ? to_value(to_json(value)->next) : NULL;
}

const char *nb_value_key(const struct nb_value *value)
{
    return value && to_json(value)->string ? to_json(value)->string : "";
}

const char *nb_value_string(const struct nb_value *value)
{
    return cJSON_IsString(to_json(value)) ? to_json(value)->valuestring : "";
}

int64_t nb_value_integer(const struct nb_value *value)
{
    return cJSON_IsNumber(to_json(value)) ? (int64_t)to_json(value)->valuedouble : 0;
}

bool nb_value_bool(const struct nb_value *value)
{
    return cJSON_IsTrue(to_json(value));
}

char *nb_value_text(const struct nb_value *value)
{
    return cJSON_PrintUnformatted(to_json(value));
}
