#include "table.h"

#include <string.h>

#define F(S, name, type, need, low, high, fallback, documentation)                                 \
    {#name, FIELD_##type, need, offsetof(struct S, name), low, high, fallback, documentation},
#define A(NAME, function, policy, cli, fds, documentation)                                         \
    static const struct field fields_##function[] = {FIELDS_##NAME(F, args_##function)};
ACTIONS(A)
#undef A
#undef F

static const struct action_row rows[] = {
#define A(NAME, function, policy, cli, fds, documentation)                                         \
    [ACTION_##NAME] = {#NAME,                                                                      \
                       policy,                                                                     \
                       cli,                                                                        \
                       fds,                                                                        \
                       documentation,                                                              \
                       fields_##function,                                                          \
                       sizeof fields_##function / sizeof(struct field)},
    ACTIONS(A)
#undef A
};

static const char *const metavariables[] = {
#define T(type, c_type, metavariable) [FIELD_##type] = metavariable,
    FIELD_TYPES(T)
#undef T
};

bool field_is_required(const struct field *field)
{
    return field->need == REQUIRED || field->need == ARGUMENT;
}

const struct action_row *action_row(enum action action)
{
    return &rows[action];
}

enum action action_find(const char *name)
{
    for (enum action action = 0; action < ACTION_COUNT; action++)
        if (strcmp(rows[action].name, name) == 0)
            return action;
    return ACTION_COUNT;
}

const struct field *field_find(const struct action_row *row, const char *name)
{
    for (size_t i = 0; i < row->field_count; i++)
        if (strcmp(row->fields[i].name, name) == 0)
            return &row->fields[i];
    return NULL;
}

const char *field_metavariable(enum field_type type)
{
    return metavariables[type];
}

bool field_is_list(enum field_type type)
{
    return strstr(metavariables[type], "[,") != NULL;
}

const char *event_topic(size_t index)
{
    static const char *const topics[] = {
#define E(topic) topic,
        EVENT_TOPICS(E)
#undef E
    };

    return index < sizeof topics / sizeof *topics ? topics[index] : NULL;
}
