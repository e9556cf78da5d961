/* A sequence of states, as "sequence" has it in its payload. */
#include "spec_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 8 };

#define SECONDS_LEAST 0.001
#define VALUE_MAX     1e15

struct taking {
    struct spec_sequence *sequence;
    struct spec_state *state;
    double duration, timeout; /* 0: not given */
    unsigned room;            /* of settings */
};

/* --- A trip -------------------------------------------------------------------------------- */

static bool take_interface(struct reader *reader, const cJSON *item, void *context)
{
    struct spec_trip *trip = context;

    return reader_text(reader, item, SPEC_INTERFACE_MAX, trip->interface);
}

static bool take_reference(struct reader *reader, const cJSON *item, void *context)
{
    struct spec_trip *trip = context;

    return reader_text(reader, item, SPEC_TEXT_MAX, trip->reference);
}

static bool take_index(struct reader *reader, const cJSON *item, void *context)
{
    struct spec_trip *trip = context;
    uint64_t number = 0;

    if (!reader_natural(reader, item, 0, SPEC_INDEX_MAX, &number))
        return false;
    trip->index = (unsigned)number;
    return true;
}

static bool take_value(struct reader *reader, const cJSON *item, void *context)
{
    struct spec_trip *trip = context;

    trip->is_boolean = cJSON_IsBool(item);
    trip->boolean = cJSON_IsTrue(item);
    if (trip->is_boolean)
        return true;
    if (!cJSON_IsNumber(item))
        return reader_wrong(reader, "takes true, false or a number: what the member becomes");
    return reader_real(reader, item, -VALUE_MAX, VALUE_MAX, &trip->number);
}

static bool take_promiscuous(struct reader *reader, const cJSON *item, void *context)
{
    struct spec_trip *trip = context;

    return reader_bool(reader, item, &trip->is_promiscuous);
}

static bool take_goose(struct reader *reader, const cJSON *item, void *context)
{
    static const struct reader_key keys[] = {
        {"interface", take_interface, false},
        {"gocbRef", take_reference, true},
        {"index", take_index, true},
        {"value", take_value, true},
        {"promiscuous", take_promiscuous, false},
    };
    struct taking *taking = context;

    taking->state->has_trip = true;
    return reader_object(reader, item, keys, sizeof keys / sizeof *keys, &taking->state->trip,
                         NULL);
}

static bool take_timeout(struct reader *reader, const cJSON *item, void *context)
{
    return reader_real(reader, item, SECONDS_LEAST, SPEC_SECONDS_MAX,
                       &((struct taking *)context)->timeout);
}

static bool take_transition(struct reader *reader, const cJSON *item, void *context)
{
    static const struct reader_key keys[] = {
        {"goose", take_goose, true},
        {"timeout", take_timeout, false},
    };

    if (cJSON_IsString(item) && strcmp(item->valuestring, "time") == 0)
        return true;
    if (!cJSON_IsObject(item))
        return reader_wrong(reader, "takes \"time\" or {\"goose\":{...},\"timeout\":SECONDS}");
    return reader_object(reader, item, keys, sizeof keys / sizeof *keys, context, NULL);
}

/* --- Streams of a state -------------------------------------------------------------------- */

static bool grow(struct reader *reader, struct taking *taking)
{
    struct spec_sequence *sequence = taking->sequence;
    struct spec_setting *setting;
    unsigned room = taking->room ? 2 * taking->room : FIRST_ROOM;

    if (sequence->settings < taking->room)
        return true;
    if (sequence->settings == SPEC_SETTINGS_MAX)
        return reader_wrong(reader, "is one too many: all states together have at most %d streams",
                            SPEC_SETTINGS_MAX);
    setting = realloc(sequence->setting, room * sizeof *setting);
    if (!setting)
        return reader_wrong(reader, "needs more memory than there is");
    sequence->setting = setting;
    taking->room = room;
    return true;
}

static bool take_setting(struct reader *reader, const cJSON *item, void *context)
{
    struct taking *taking = context;
    struct spec_setting *setting;

    if (!grow(reader, taking))
        return false;
    setting = &taking->sequence->setting[taking->sequence->settings];
    if (!spec_take_id(reader, item->string, setting->id) ||
        !spec_take_change(reader, item, &setting->change, NULL))
        return false;
    taking->sequence->settings++;
    taking->state->settings++;
    return true;
}

static bool take_streams(struct reader *reader, const cJSON *item, void *context)
{
    return reader_names(reader, item, take_setting, context);
}

/* --- States -------------------------------------------------------------------------------- */

static bool take_name(struct reader *reader, const cJSON *item, void *context)
{
    return reader_text(reader, item, SPEC_NAME_MAX, ((struct taking *)context)->state->name);
}

static bool take_duration(struct reader *reader, const cJSON *item, void *context)
{
    return reader_real(reader, item, SECONDS_LEAST, SPEC_SECONDS_MAX,
                       &((struct taking *)context)->duration);
}

static bool settle_end(struct reader *reader, const struct taking *taking)
{
    if (taking->duration > 0 && taking->timeout > 0)
        return reader_wrong(reader, "has a duration and a timeout: one of them says how long it "
                                    "lasts at most");
    if (taking->duration + taking->timeout <= 0)
        return reader_wrong(reader, taking->state->has_trip
                                        ? "has no timeout, which says how long it waits for GOOSE"
                                        : "has no duration, in seconds");
    taking->state->seconds = taking->duration + taking->timeout;
    return true;
}

static bool take_state(struct reader *reader, const cJSON *item, void *context)
{
    static const struct reader_key keys[] = {
        {"name", take_name, true},
        {"duration", take_duration, false},
        {"transition", take_transition, false},
        {"streams", take_streams, false},
    };
    struct taking *taking = context;

    taking->state = &taking->sequence->state[taking->sequence->states];
    taking->state->first_setting = taking->sequence->settings;
    taking->duration = taking->timeout = 0;
    if (!reader_object(reader, item, keys, sizeof keys / sizeof *keys, taking, NULL) ||
        !settle_end(reader, taking))
        return false;
    taking->sequence->states++;
    return true;
}

static bool take_states(struct reader *reader, const cJSON *item, void *context)
{
    if (cJSON_IsArray(item) && !item->child)
        return reader_wrong(reader, "is empty: a sequence has one state or more");
    return reader_list(reader, item, SPEC_STATES_MAX, "states", take_state, context);
}

bool spec_take_sequence(struct reader *reader, const cJSON *item, struct spec_sequence *ret)
{
    static const struct reader_key keys[] = {{"states", take_states, true}};
    struct taking taking = {.sequence = ret};

    ret->state = calloc(SPEC_STATES_MAX, sizeof *ret->state);
    if (!ret->state)
        return reader_wrong(reader, "needs more memory than there is");
    return reader_object(reader, item, keys, sizeof keys / sizeof *keys, &taking, NULL);
}
