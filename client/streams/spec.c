/* A request: its action, the id of a stream, and what the action takes. */
#include "spec_parts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *word;
    bool has_id, has_payload;
} actions[] = {
#define A(NAME, word, has_id, has_payload) {word, has_id, has_payload},
    SPEC_ACTIONS(A)
#undef A
};
_Static_assert(sizeof actions / sizeof *actions == SPEC_ACTION_COUNT, "a row for each action");

const char *spec_action_word(enum spec_action action)
{
    return action < SPEC_ACTION_COUNT ? actions[action].word : "";
}

/* What may stand in a line that people read, without blanks. */
bool spec_take_id(struct reader *reader, const char *text, char ret[SPEC_ID_MAX + 1])
{
    size_t length = strlen(text), right = 0;

    while (isgraph((unsigned char)text[right]))
        right++;
    if (length == 0 || length > SPEC_ID_MAX || right < length)
        return reader_wrong(reader,
                            "is no id of a stream: 1 to %d characters of ASCII without blanks",
                            SPEC_ID_MAX);
    memcpy(ret, text, length + 1);
    return true;
}

struct taking {
    struct spec_request *request;
    const cJSON *payload;
};

static bool take_action(struct reader *reader, const cJSON *item, void *context)
{
    struct taking *taking = context;
    const char *text = cJSON_IsString(item) ? item->valuestring : "";
    char list[SPEC_ERROR_MAX / 2] = "";

    for (unsigned i = 0; i < SPEC_ACTION_COUNT; i++) {
        size_t length = strlen(list);

        if (strcmp(actions[i].word, text) == 0) {
            taking->request->action = (enum spec_action)i;
            return true;
        }
        snprintf(list + length, sizeof list - length, "%s%s",
                 i == 0                      ? ""
                 : i + 1 < SPEC_ACTION_COUNT ? ", "
                                             : " or ",
                 actions[i].word);
    }
    return reader_wrong(reader, "takes %s", list);
}

static bool take_id(struct reader *reader, const cJSON *item, void *context)
{
    struct taking *taking = context;

    return spec_take_id(reader, cJSON_IsString(item) ? item->valuestring : "", taking->request->id);
}

static bool take_payload(struct reader *reader, const cJSON *item, void *context)
{
    (void)reader;
    ((struct taking *)context)->payload = item;
    return true;
}

static bool fits(struct reader *reader, const struct taking *taking)
{
    const struct spec_request *request = taking->request;
    const char *word = actions[request->action].word;

    if (actions[request->action].has_id && !request->id[0])
        return reader_wrong(reader, "has no 'id', which '%s' needs: that of a stream", word);
    if (!actions[request->action].has_id && request->id[0])
        return reader_wrong(reader, "has an 'id', and '%s' is of no single stream", word);
    if (actions[request->action].has_payload && !taking->payload)
        return reader_wrong(reader, "has no 'payload', which '%s' needs", word);
    if (!actions[request->action].has_payload && taking->payload)
        return reader_wrong(reader, "has a 'payload', and '%s' takes none", word);
    return true;
}

static bool no_memory(struct spec_error *error)
{
    snprintf(error->text, sizeof error->text, "there is no memory");
    return false;
}

static bool take_content(struct reader *reader, const struct taking *taking)
{
    struct spec_request *request = taking->request;

    strcpy(reader->path, "payload");
    switch (request->action) {
    case SPEC_CREATE:
        request->stream = calloc(1, sizeof *request->stream);
        if (!request->stream)
            return no_memory(reader->error);
        if (!spec_take_stream(reader, taking->payload, request->stream))
            return false;
        if (!request->stream->sv_id[0])
            strcpy(request->stream->sv_id, request->id);
        return true;
    case SPEC_CHANGE:
        request->change = calloc(1, sizeof *request->change);
        request->flaws = calloc(1, sizeof *request->flaws);
        return request->change && request->flaws
                   ? spec_take_change(reader, taking->payload, request->change, request->flaws)
                   : no_memory(reader->error);
    case SPEC_SEQUENCE:
        request->sequence = calloc(1, sizeof *request->sequence);
        return request->sequence ? spec_take_sequence(reader, taking->payload, request->sequence)
                                 : no_memory(reader->error);
    default:
        return true;
    }
}

static bool read_tree(const cJSON *tree, struct spec_request *ret, struct spec_error *error)
{
    static const struct reader_key keys[] = {
        {"action", take_action, true},
        {"id", take_id, false},
        {"payload", take_payload, false},
    };
    struct reader reader = {.error = error};
    struct taking taking = {.request = ret};

    return reader_object(&reader, tree, keys, sizeof keys / sizeof *keys, &taking, NULL) &&
           fits(&reader, &taking) && take_content(&reader, &taking);
}

static bool is_blank(const char *text, const char *end)
{
    while (text < end && isspace((unsigned char)*text))
        text++;
    return text == end;
}

bool spec_read(const char *text, size_t n, struct spec_request *ret, struct spec_error *error)
{
    const char *end = NULL;
    cJSON *tree;
    bool is_right;

    *ret = (struct spec_request){.action = SPEC_ACTION_COUNT};
    if (n > SPEC_LINE_MAX) {
        snprintf(error->text, sizeof error->text, "the request is longer than %d bytes",
                 SPEC_LINE_MAX);
        return false;
    }
    tree = cJSON_ParseWithLengthOpts(text, n, &end, false);
    is_right = tree && is_blank(end, text + n);
    if (!is_right)
        snprintf(error->text, sizeof error->text,
                 "the line is no JSON from its byte %zu on: a request is an object on one line, "
                 "such as {\"action\":\"list\"}; 'jq -c .' puts what has several lines on one",
                 end && end >= text ? (size_t)(end - text) + 1 : (size_t)1);
    else
        is_right = read_tree(tree, ret, error);
    cJSON_Delete(tree);
    return is_right;
}

void spec_sequence_free(struct spec_sequence *sequence)
{
    if (!sequence)
        return;
    free(sequence->state);
    free(sequence->setting);
    free(sequence);
}

void spec_request_clear(struct spec_request *request)
{
    free(request->stream);
    free(request->change);
    free(request->flaws);
    spec_sequence_free(request->sequence);
    *request = (struct spec_request){.action = SPEC_ACTION_COUNT};
}
