#include "schema.h"
#include "suite.h"
#include "table.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <string.h>

/* All rows of text columns, compared pairwise. */
START_TEST(names_and_commands_are_unique)
{
    for (enum action a = 0; a < ACTION_COUNT; a++)
        for (enum action b = a + 1; b < ACTION_COUNT; b++) {
            ck_assert_str_ne(action_row(a)->name, action_row(b)->name);
            ck_assert(!action_row(a)->cli[0] ||
                      strcmp(action_row(a)->cli, action_row(b)->cli) != 0);
        }
}
END_TEST

START_TEST(an_action_is_found_by_its_exact_name)
{
    for (enum action action = 0; action < ACTION_COUNT; action++)
        ck_assert_int_eq(action_find(action_row(action)->name), action);
    ck_assert_int_eq(action_find("add_mfc"), ACTION_COUNT);
    ck_assert_int_eq(action_find("ADD_MF"), ACTION_COUNT);
    ck_assert_int_eq(action_find("ADD_MFC "), ACTION_COUNT);
    ck_assert_int_eq(action_find(""), ACTION_COUNT);
}
END_TEST

static bool is_command(const char *text)
{
    for (const char *c = text; *c; c++)
        if (!islower((unsigned char)*c) && !(*c == ' ' && c > text && c[-1] != ' '))
            return false;
    return *text && text[strlen(text) - 1] != ' ';
}

START_TEST(each_row_is_complete)
{
    const struct action_row *row = action_row((enum action)_i);

    ck_assert(!row->cli[0] || is_command(row->cli)); /* a part of a command has none */
    ck_assert_ptr_nonnull(strchr(row->policy, '.'));
    ck_assert_uint_lt(strlen(row->name), WORD_LENGTH_MAX);
    ck_assert_int_eq(row->documentation[strlen(row->documentation) - 1], '.');
    for (size_t i = 0; i < row->field_count; i++) {
        const struct field *field = &row->fields[i];

        ck_assert_uint_lt(strlen(field->name), sizeof((struct error *)0)->field);
        ck_assert_int_eq(field->documentation[strlen(field->documentation) - 1], '.');
        ck_assert_uint_le(field->low, field->high);
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(field->name, row->fields[j].name);
    }
}
END_TEST

static cJSON *parse_schema(enum action only)
{
    struct json json = {.limit = 1 << 20};
    cJSON *tree;

    schema_write(&json, only);
    ck_assert(!json.failed);
    tree = cJSON_ParseWithLength(json.text, json.length);
    json_clear(&json);
    ck_assert_ptr_nonnull(tree);
    return tree;
}

/* schema.oneOf[index].properties.payload.properties */
static const cJSON *payload_fields(const cJSON *branch)
{
    const cJSON *payload =
        cJSON_GetObjectItem(cJSON_GetObjectItem(branch, "properties"), "payload");

    ck_assert(cJSON_IsFalse(cJSON_GetObjectItem(payload, "additionalProperties")));
    return cJSON_GetObjectItem(payload, "properties");
}

static void assert_branch(const cJSON *branch, const struct action_row *row)
{
    const cJSON *fields = payload_fields(branch);

    ck_assert_str_eq(cJSON_GetObjectItem(branch, "title")->valuestring, row->name);
    ck_assert_str_eq(cJSON_GetObjectItem(branch, "x-command")->valuestring, row->cli);
    ck_assert_int_eq(cJSON_GetArraySize(fields), (int)row->field_count);
    for (size_t i = 0; i < row->field_count; i++) {
        const cJSON *field = cJSON_GetObjectItem(fields, row->fields[i].name);

        ck_assert_str_eq(cJSON_GetObjectItem(field, "description")->valuestring,
                         row->fields[i].documentation);
        ck_assert(cJSON_HasObjectItem(field, "type") || cJSON_HasObjectItem(field, "anyOf") ||
                  cJSON_HasObjectItem(field, "enum"));
    }
}

/* What only reads is not audited; a lease is granted, a resource released, by what changes. */
START_TEST(flags_agree_with_the_verb)
{
    const struct action_row *row = action_row((enum action)_i);
    const char *dot = strrchr(row->policy, '.');
    unsigned changing = ACTION_WANTS_LEASE | ACTION_DELETES | ACTION_STAGED | ACTION_ENDS_SET |
                        ACTION_WAITS_FOR_SETS | ACTION_DECIDED_LATER;

    ck_assert_msg((strcmp(dot, ".read") != 0) ==
                      ((row->flags & (ACTION_CHANGES | ACTION_TELLS | ACTION_TELLS_RIGHTS)) != 0),
                  "%s", row->name);
    ck_assert_msg(!(row->flags & changing) || row->flags & ACTION_CHANGES, "%s", row->name);
}
END_TEST

START_TEST(the_schema_has_a_branch_an_action)
{
    cJSON *schema = parse_schema(ACTION_COUNT);
    const cJSON *branches = cJSON_GetObjectItem(schema, "oneOf");

    ck_assert_int_eq(cJSON_GetArraySize(branches), ACTION_COUNT);
    for (enum action action = 0; action < ACTION_COUNT; action++)
        assert_branch(cJSON_GetArrayItem(branches, (int)action), action_row(action));
    cJSON_Delete(schema);
}
END_TEST

START_TEST(the_schema_of_one_action_has_one_branch)
{
    cJSON *schema = parse_schema(ACTION_DEL_MFC);
    const cJSON *branches = cJSON_GetObjectItem(schema, "oneOf");

    ck_assert_int_eq(cJSON_GetArraySize(branches), 1);
    assert_branch(cJSON_GetArrayItem(branches, 0), action_row(ACTION_DEL_MFC));
    cJSON_Delete(schema);
}
END_TEST

START_TEST(each_error_has_a_word_of_its_own)
{
    for (enum error_code a = 0; a < ERROR_CODES; a++)
        for (enum error_code b = a + 1; b < ERROR_CODES; b++)
            ck_assert_str_ne(error_word(a), error_word(b));
}
END_TEST

START_TEST(a_long_error_is_cut)
{
    struct error error;

    ck_assert(!error_set(&error, ERROR_LIMIT, NULL, "%0500d", 1));
    ck_assert_int_eq(error.code, ERROR_LIMIT);
    ck_assert_str_eq(error.field, "");
    ck_assert_uint_eq(strlen(error.message), sizeof error.message - 1);
    error_set(&error, ERROR_LIMIT, "a field's name that is longer than any other", "x");
    ck_assert_uint_eq(strlen(error.field), sizeof error.field - 1);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, names_and_commands_are_unique);
    tcase_add_test(tests, an_action_is_found_by_its_exact_name);
    tcase_add_loop_test(tests, each_row_is_complete, 0, ACTION_COUNT);
    tcase_add_loop_test(tests, flags_agree_with_the_verb, 0, ACTION_COUNT);
    tcase_add_test(tests, the_schema_has_a_branch_an_action);
    tcase_add_test(tests, the_schema_of_one_action_has_one_branch);
    tcase_add_test(tests, each_error_has_a_word_of_its_own);
    tcase_add_test(tests, a_long_error_is_cut);
}

int main(void)
{
    return suite_run("table", add_tests);
}
