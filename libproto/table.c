#include "table.h"

#include <string.h>

#define F(S, name, type, need, low, high, fallback, documentation)                                 \
    {#name, FIELD_##type, need, offsetof(struct S, name), low, high, fallback, documentation},
#define A(NAME, function, flags, policy, cli, takes, fds, documentation)                           \
    static const struct field fields_##function[] = {FIELDS_##NAME(F, args_##function)};
ACTIONS(A)
#undef A
#undef F

static const struct action_row rows[] = {
#define A(NAME, function, flags, policy, cli, takes, fds, documentation)                           \
    [ACTION_##NAME] = {#NAME,                                                                      \
                       flags,                                                                      \
                       policy,                                                                     \
                       cli,                                                                        \
                       takes,                                                                      \
                       fds,                                                                        \
                       documentation,                                                              \
                       fields_##function,                                                          \
                       sizeof fields_##function / sizeof(struct field)},
    ACTIONS(A)
#undef A
};

static const struct type_row types[] = {
#define T(type, c_type, metavariable, json, shape, takes, limits, schema)                          \
    [FIELD_##type] = {#type, metavariable, json, shape, takes, limits, schema},
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

bool actions_take_fds(void)
{
    for (enum action action = 0; action < ACTION_COUNT; action++)
        if (rows[action].takes[0])
            return true;
    return false;
}

bool actions_lend_fds(void)
{
    for (enum action action = 0; action < ACTION_COUNT; action++)
        if (rows[action].fds[0])
            return true;
    return false;
}

size_t word_count(const char *words)
{
    size_t count = *words != '\0';

    for (; *words; words++)
        count += *words == ' ';
    return count;
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

const struct type_row *type_row(enum field_type type)
{
    return &types[type];
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
