#include "schema.h"

#include <stdio.h>

static void write_text_type(struct json *json, const char *format)
{
    json_member_string(json, "type", "string");
    if (format)
        json_member_string(json, "format", format);
}

static void write_address(struct json *json, const struct field *field)
{
    (void)field;
    json_key(json, "anyOf");
    json_open(json, '[');
    json_open(json, '{');
    write_text_type(json, "ipv4");
    json_close(json, '}');
    json_open(json, '{');
    write_text_type(json, "ipv6");
    json_close(json, '}');
    json_close(json, ']');
}

static void write_name_pattern(struct json *json)
{
    write_text_type(json, NULL);
    json_member_unsigned(json, "minLength", 1);
    json_member_unsigned(json, "maxLength", INTERFACE_NAME_MAX);
    json_member_string(json, "pattern", "^[!-$&-.0-~]+$");
}

static void write_range(struct json *json, const struct field *field)
{
    json_member_string(json, "type", "integer");
    json_member_unsigned(json, "minimum", field->low);
    json_member_unsigned(json, "maximum", field->high);
}

static void open_list(struct json *json, uint32_t low, uint32_t high)
{
    json_member_string(json, "type", "array");
    json_member_unsigned(json, "minItems", low);
    json_member_unsigned(json, "maxItems", high);
    json_key(json, "items");
    json_open(json, '{');
}

static void write_source(struct json *json, const struct field *field)
{
    write_address(json, field);
}

static void write_group(struct json *json, const struct field *field)
{
    write_address(json, field);
}

static void write_interface(struct json *json, const struct field *field)
{
    (void)field;
    write_name_pattern(json);
}

static void write_interfaces(struct json *json, const struct field *field)
{
    json_member_bool(json, "uniqueItems", true);
    open_list(json, field->low, field->high);
    write_name_pattern(json);
    json_close(json, '}');
}

static void write_number(struct json *json, const struct field *field)
{
    write_range(json, field);
    if (field->fallback)
        json_member_unsigned(json, "default", field->fallback);
}

static void write_table(struct json *json, const struct field *field)
{
    write_range(json, field);
}

static void write_numbers(struct json *json, const struct field *field)
{
    open_list(json, 0, VIFS_MAX);
    write_range(json, field);
    json_close(json, '}');
}

static void write_flag(struct json *json, const struct field *field)
{
    (void)field;
    json_member_string(json, "type", "boolean");
    json_member_bool(json, "default", false);
}

static void write_word(struct json *json, const struct field *field)
{
    (void)field;
    write_text_type(json, NULL);
    json_member_unsigned(json, "minLength", 1);
    json_member_unsigned(json, "maxLength", WORD_LENGTH_MAX);
}

static void write_id(struct json *json)
{
    json_member_string(json, "type", "integer");
    json_member_unsigned(json, "minimum", 0);
    json_member_unsigned(json, "maximum", UINT32_MAX - 1);
}

static void write_user(struct json *json, const struct field *field)
{
    (void)field;
    json_member_string(json, "type", "object");
    json_key(json, "properties");
    json_open(json, '{');
    json_key(json, "uid");
    json_open(json, '{');
    write_id(json);
    json_close(json, '}');
    json_key(json, "gids");
    json_open(json, '{');
    open_list(json, 0, USER_GROUPS_MAX);
    write_id(json);
    json_close(json, '}');
    json_close(json, '}');
    json_close(json, '}');
    json_key(json, "required");
    json_open(json, '[');
    json_string(json, "uid");
    json_string(json, "gids");
    json_close(json, ']');
    json_member_bool(json, "additionalProperties", false);
}

static void write_family(struct json *json, const struct field *field)
{
    (void)field;
    json_key(json, "enum");
    json_open(json, '[');
    json_string(json, "ipv4");
    json_string(json, "ipv6");
    json_close(json, ']');
}

static void write_topics(struct json *json, const struct field *field)
{
    open_list(json, field->low, field->high);
    write_text_type(json, NULL);
    json_member_unsigned(json, "minLength", 1);
    json_member_unsigned(json, "maxLength", TOPIC_LENGTH_MAX);
    json_close(json, '}');
}

static void (*const writers[])(struct json *, const struct field *) = {
#define T(type, c_type, metavariable) [FIELD_##type] = write_##type,
    FIELD_TYPES(T)
#undef T
};

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
        writers[field->type](json, field);
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
