#include "schema.h"

#include <stdio.h>

/* The type's schema with the field's limits. */
static void write_type(struct json *json, const struct field *field)
{
    char text[512];
    int length =
        snprintf(text, sizeof text, type_row(field->type)->schema, field->low, field->high);

    for (char *c = text; *c; c++)
        if (*c == '\'')
            *c = '"';
    json_raw(json, text, (size_t)length);
    if (field->fallback && type_row(field->type)->json == JSON_INTEGER)
        json_member_unsigned(json, "default", field->fallback);
}

static void write_required(struct json *json, const struct action_row *row)
{
    json_key(json, "required");
    json_open(json, '[');
    for (size_t i = 0; i < row->field_count; i++)
        if (field_is_required(&row->fields[i]))
            json_string(json, row->fields[i].name);
    json_close(json, ']');
}

static void write_payload(struct json *json, const struct action_row *row)
{
    json_key(json, "payload");
    json_open(json, '{');
    json_member_string(json, "type", "object");
    json_key(json, "properties");
    json_open(json, '{');
    for (size_t i = 0; i < row->field_count; i++) {
        const struct field *field = &row->fields[i];

        json_key(json, field->name);
        json_open(json, '{');
        json_member_string(json, "description", field->documentation);
        write_type(json, field);
        json_close(json, '}');
    }
    json_close(json, '}');
    write_required(json, row);
    json_member_bool(json, "additionalProperties", false);
    json_close(json, '}');
}

static bool needs_payload(const struct action_row *row)
{
    for (size_t i = 0; i < row->field_count; i++)
        if (field_is_required(&row->fields[i]))
            return true;
    return false;
}

static void write_action(struct json *json, const struct action_row *row)
{
    json_open(json, '{');
    json_member_string(json, "title", row->name);
    json_member_string(json, "description", row->documentation);
    json_member_string(json, "x-policy", row->policy);
    json_member_string(json, "x-command", row->cli);
    json_member_string(json, "type", "object");
    json_key(json, "properties");
    json_open(json, '{');
    json_key(json, "action");
    json_open(json, '{');
    json_member_string(json, "const", row->name);
    json_close(json, '}');
    write_payload(json, row);
    json_key(json, "id");
    json_bool(json, true);
    json_close(json, '}');
    json_key(json, "required");
    json_open(json, '[');
    json_string(json, "action");
    if (needs_payload(row))
        json_string(json, "payload");
    json_close(json, ']');
    json_member_bool(json, "additionalProperties", false);
    json_close(json, '}');
}

void schema_write(struct json *json, enum action only)
{
    json_open(json, '{');
    json_member_string(json, "$schema", "https://json-schema.org/draft/2020-12/schema");
    json_member_string(json, "title", "A request to netbrokerd");
    json_key(json, "oneOf");
    json_open(json, '[');
    for (enum action action = 0; action < ACTION_COUNT; action++)
        if (only == ACTION_COUNT || only == action)
            write_action(json, action_row(action));
    json_close(json, ']');
    json_close(json, '}');
}
