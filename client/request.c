/* A request is written as text from the start: fields are appended as they are set. */
#include "request.h"

#include "bounds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIELD_NAME_MAX = 63 };

struct nb_request {
    struct json text;              /* without its closing brackets */
    char list[FIELD_NAME_MAX + 1]; /* the list that is being appended to; "": none */
    bool invalid;                  /* a name was too long, or a name or value NULL */
};

int nb_request_new(struct nb_request **ret_request, const char *action)
{
    struct nb_request *request;

    if (!ret_request || !action)
        return -EINVAL;
    request = calloc(1, sizeof *request);
    if (!request)
        return -ENOMEM;
    request->text.limit = REQUEST_MAX;
    json_open(&request->text, '{');
    json_member_string(&request->text, "action", action);
    json_key(&request->text, "payload");
    json_open(&request->text, '{');
    *ret_request = request;
    return 0;
}

void nb_request_free(struct nb_request *request)
{
    if (!request)
        return;
    json_clear(&request->text);
    free(request);
}

static void close_list(struct nb_request *request)
{
    if (request->list[0])
        json_close(&request->text, ']');
    request->list[0] = '\0';
}

/* Whether a field can be written. What cannot be is told when the request is sent. */
static bool check_field(struct nb_request *request, const char *name, bool value_is_there)
{
    if (!request)
        return false;
    if (!name || !value_is_there)
        request->invalid = true;
    return name && value_is_there;
}

/* Leaves the writer where a value of the list can follow. */
static void open_list(struct nb_request *request, const char *name)
{
    if (strcmp(request->list, name) == 0)
        return;
    close_list(request);
    if (strlen(name) > FIELD_NAME_MAX) {
        request->invalid = true;
        return;
    }
    strcpy(request->list, name);
    json_key(&request->text, name);
    json_open(&request->text, '[');
}

static struct json *open_field(struct nb_request *request, const char *name)
{
    close_list(request);
    json_key(&request->text, name);
    return &request->text;
}

void nb_request_set_string(struct nb_request *request, const char *name, const char *value)
{
    if (check_field(request, name, value))
        json_string(open_field(request, name), value);
}

void nb_request_set_integer(struct nb_request *request, const char *name, int64_t value)
{
    if (check_field(request, name, true))
        json_number(open_field(request, name), value);
}

void nb_request_set_bool(struct nb_request *request, const char *name, bool value)
{
    if (check_field(request, name, true))
        json_bool(open_field(request, name), value);
}

void nb_request_set_user(struct nb_request *request, const char *name, uint32_t uid,
                         const uint32_t *gids, size_t gid_count)
{
    struct json *text;

    if (!check_field(request, name, gids || gid_count == 0))
        return;
    text = open_field(request, name);
    json_open(text, '{');
    json_member_unsigned(text, "uid", uid);
    json_key(text, "gids");
    json_open(text, '[');
    for (size_t i = 0; i < gid_count; i++)
        json_unsigned(text, gids[i]);
    json_close(text, ']');
    json_close(text, '}');
}

void nb_request_add_string(struct nb_request *request, const char *name, const char *value)
{
    if (!check_field(request, name, value))
        return;
    open_list(request, name);
    json_string(&request->text, value);
}

void nb_request_add_integer(struct nb_request *request, const char *name, int64_t value)
{
    if (!check_field(request, name, true))
        return;
    open_list(request, name);
    json_number(&request->text, value);
}

void nb_request_set_empty_list(struct nb_request *request, const char *name)
{
    if (check_field(request, name, true))
        open_list(request, name);
}

int request_append(const struct nb_request *request, struct json *out)
{
    const char *end = request->list[0] ? "]}}\n" : "}}\n";

    if (request->invalid)
        return -EINVAL;
    if (request->text.failed || request->text.length + strlen(end) - 1 > REQUEST_MAX)
        return -EMSGSIZE;
    json_bytes(out, request->text.text, request->text.length);
    json_bytes(out, end, strlen(end));
    return out->failed ? -ENOMEM : 0;
}
