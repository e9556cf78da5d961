/* A line is cut into words, the words become the members of a JSON object by the action's row, and
 * the decoder has the last word on them. A line of JSON goes the same way behind the cutting. */
#include "line.h"

#include "scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- The words of the syntax --------------------------------------------------------------- */

static const struct {
    const char *word, *action;
} statements[] = {{"route", "ADD_MFC"}, {"join", "ADD_JOIN"}};

static const char word_interface[] = "interface", word_ttl[] = "ttl";

/* Fields with a meaning of their own in a file. An action that lacks one is not concerned. */
static const struct {
    const char *name;
    const char *why; /* it is refused; NULL: it is implied */
} file_fields[] = {
    {"wait", NULL},
    {"while_connected", "configuration does not end with a connection"},
    {"dry_run", "a file states what is wanted, and is not a trial"},
    {"append", "a file names all outgoing interfaces of a route in one line"},
};

/* For the thresholds. */
static const char name_group[] = "group", name_oifs[] = "oifs", name_ttls[] = "ttls";

/* A request in the making. */
struct draft {
    const struct action_row *row;
    struct json *json;
    uint64_t given;                /* a bit for each field of the row */
    const struct field *last_list; /* the last field with a value, where it is a list */
    struct error *error;
};

static uint64_t bit_of(const struct action_row *row, const struct field *field)
{
    return UINT64_C(1) << (field - row->fields);
}

static bool is_given(const struct draft *draft, const char *name)
{
    const struct field *field = field_find(draft->row, name);

    return field && draft->given & bit_of(draft->row, field);
}

static bool is_file_field(const char *name, const char **ret_why)
{
    for (size_t i = 0; i < sizeof file_fields / sizeof *file_fields; i++)
        if (strcmp(file_fields[i].name, name) == 0) {
            *ret_why = file_fields[i].why;
            return true;
        }
    return false;
}

/* Why a file may not have the field, or NULL. */
static const char *why_refused(const char *name)
{
    const char *why;

    return is_file_field(name, &why) ? why : NULL;
}

static bool is_implied(const char *name)
{
    const char *why;

    return is_file_field(name, &why) && !why;
}

static const struct action_row *find_statement(const char *word)
{
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        enum action action = action_find(statements[i].action);

        if (strcmp(statements[i].word, word) == 0 && action != ACTION_COUNT)
            return action_row(action);
    }
    return NULL;
}

static bool is_statement(enum action action)
{
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        if (action_find(statements[i].action) == action)
            return true;
    return false;
}

/* --- Words --------------------------------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next word, which it ends with a NUL, or NULL where none follows. */
static char *next_word(char **rest)
{
    char *word = *rest, *end;

    word += strspn(word, " \t\r");
    if (!*word)
        return NULL;
    end = word + strcspn(word, " \t\r");
    *rest = *end ? end + 1 : end;
    *end = '\0';
    return word;
}

/* Copies the line up to its comment into text. It must be of printable characters. */
static bool copy_line(const char *bytes, size_t n, char *text, struct error *error)
{
    memcpy(text, bytes, n);
    text[n] = '\0';
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '#' && (i == 0 || is_space(text[i - 1]))) {
            text[i] = '\0';
            break;
        }
        if (!is_space(text[i]) && (text[i] <= ' ' || text[i] > '~'))
            return error_set(error, ERROR_INVALID_NAME, NULL,
                             "Byte %zu of the line is not a printable ASCII character; only "
                             "comments may have others.",
                             i + 1);
    }
    return true;
}

static bool read_number(const char *text, uint64_t *ret)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 15 || text[digits])
        return false;
    *ret = strtoull(text, NULL, 10);
    return true;
}

/* --- Values -------------------------------------------------------------------------------- */

static bool write_number(struct draft *draft, const struct field *field, const char *text)
{
    uint64_t value;

    if (!read_number(text, &value))
        return error_set(draft->error, ERROR_INVALID_TYPE, field->name,
                         "Invalid argument: '%s' cannot be '%.40s'; it takes %s from %u to %u.",
                         field->name, text,
                         type_row(field->type)->shape == LIST ? "integers" : "an integer",
                         field->low, field->high);
    json_unsigned(draft->json, value);
    return true;
}

static bool write_part(struct draft *draft, const struct field *field, const char *text)
{
    if (type_row(field->type)->json == JSON_INTEGER)
        return write_number(draft, field, text);
    json_string(draft->json, text);
    return true;
}

/* A list is written with commas; "" is the empty one, and the word that ends a text is. */
static bool write_list(struct draft *draft, const struct field *field, char *text)
{
    char *rest = strcmp(text, "\"\"") == 0 ? NULL : text, *part;

    json_open(draft->json, '[');
    while ((part = strsep(&rest, ",")))
        if (!write_part(draft, field, part))
            return false;
    json_close(draft->json, ']');
    return true;
}

static bool write_value(struct draft *draft, const struct field *field, char **rest)
{
    char *text;

    json_key(draft->json, field->name);
    draft->last_list = NULL;
    if (type_row(field->type)->json == JSON_BOOLEAN) {
        json_bool(draft->json, true);
        return true;
    }
    text = next_word(rest);
    if (!text)
        return error_set(draft->error, ERROR_MISSING_FIELD, field->name,
                         "Invalid argument: a value is missing after '%s'; it takes %s.",
                         field->name, type_row(field->type)->metavariable);
    if (type_row(field->type)->shape == LIST) {
        draft->last_list = field;
        return write_list(draft, field, text);
    }
    return write_part(draft, field, text);
}

/* --- Statements ---------------------------------------------------------------------------- */

static bool refuse_unknown(struct draft *draft, const char *name)
{
    char names[160] = "";
    size_t used = 0;

    if (draft->last_list)
        return error_set(draft->error, ERROR_UNKNOWN_FIELD, name,
                         "Invalid argument: there is no field '%.40s'; the list of '%s' is one "
                         "word, with commas and without spaces.",
                         name, draft->last_list->name);
    for (size_t i = 0; i < draft->row->field_count && used < sizeof names; i++) {
        const char *other = draft->row->fields[i].name;

        if (!why_refused(other))
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                                     other);
    }
    return error_set(draft->error, ERROR_UNKNOWN_FIELD, name,
                     "Invalid argument: there is no field '%.40s' here; the fields are %s.", name,
                     names);
}

static bool refuse_in_file(struct draft *draft, const char *name)
{
    return error_set(draft->error, ERROR_UNKNOWN_FIELD, name,
                     "Invalid argument: '%s' is not allowed in a file: %s.", name,
                     why_refused(name));
}

/* The field of this name, noted as given; NULL: it may not be given here. */
static const struct field *take_field(struct draft *draft, const char *name)
{
    const struct field *field = field_find(draft->row, name);

    if (!field)
        refuse_unknown(draft, name);
    else if (why_refused(name))
        refuse_in_file(draft, name);
    else if (is_given(draft, name))
        error_set(
            draft->error, ERROR_UNKNOWN_FIELD, name,
            "Invalid argument: '%s' is given twice; it takes one value, and lists have commas "
            "without spaces between their parts.",
            name);
    else {
        draft->given |= bit_of(draft->row, field);
        return field;
    }
    return NULL;
}

static bool take_fields(struct draft *draft, char *rest)
{
    const char *name;

    while ((name = next_word(&rest))) {
        const struct field *field = take_field(draft, name);

        if (!field || !write_value(draft, field, &rest))
            return false;
    }
    return true;
}

static void write_implied(struct draft *draft)
{
    for (size_t i = 0; i < draft->row->field_count; i++) {
        const char *name = draft->row->fields[i].name;

        if (is_implied(name) && !is_given(draft, name))
            json_member_bool(draft->json, name, true);
    }
}

/* What is at the field of this name, or NULL. */
static void *value_of(struct request *request, const char *name)
{
    const struct field *field = field_find(action_row(request->action), name);

    return field ? (char *)&request->args + field->offset : NULL;
}

/* Gives the request the thresholds of its oifs, where it is of IPv4 and has none of its own. */
static void add_thresholds(const struct draft *draft, const struct thresholds *thresholds,
                           struct request *request)
{
    const struct prefix *group = value_of(request, name_group);
    const struct interface_list *oifs = value_of(request, name_oifs);
    struct number_list *ttls = value_of(request, name_ttls), found = {0};
    bool any = false;

    if (!group || !oifs || !ttls || is_given(draft, name_ttls) ||
        group->address.family != FAMILY_IPV4)
        return;
    for (found.count = 0; found.count < oifs->count; found.count++) {
        uint32_t ttl = thresholds_find(thresholds, oifs->names[found.count].text);

        found.values[found.count] = ttl;
        any |= ttl > 1;
    }
    if (!any)
        return;
    *ttls = found;
    json_cut(draft->json, draft->json->length - 2);
    draft->json->comma = true;
    json_key(draft->json, name_ttls);
    json_open(draft->json, '[');
    for (uint32_t i = 0; i < found.count; i++)
        json_unsigned(draft->json, found.values[i]);
    json_bytes(draft->json, "]}}", 3);
}

static void begin_request(struct draft *draft, struct json *json, const struct action_row *row)
{
    draft->row = row;
    draft->json = json;
    json->limit = REQUEST_MAX;
    json_cut(json, 0);
    json_open(json, '{');
    json_member_string(json, "action", row->name);
    json_key(json, "payload");
    json_open(json, '{');
}

static bool is_whole(const struct draft *draft)
{
    return !draft->json->failed ||
           error_set(draft->error, ERROR_TOO_LARGE, NULL,
                     "The statement is too long, or there is no memory for it; a request may have "
                     "at most %d bytes.",
                     REQUEST_MAX);
}

/* What a file adds, the end, and the decoder's word. */
static enum line_kind end_request(struct draft *draft, const struct thresholds *thresholds,
                                  struct line *line)
{
    write_implied(draft);
    json_bytes(draft->json, "}}", 2);
    if (!is_whole(draft) ||
        !decode_request(draft->json->text, draft->json->length, &line->request, draft->error))
        return LINE_WRONG;
    add_thresholds(draft, thresholds, &line->request);
    return is_whole(draft) ? LINE_REQUEST : LINE_WRONG;
}

/* As the decoder judges it, in the words of a file. */
static bool check_required(const struct draft *draft, const char *statement)
{
    for (size_t i = 0; i < draft->row->field_count; i++) {
        const struct field *field = &draft->row->fields[i];

        if (field_is_required(field) && !is_given(draft, field->name))
            return error_set(draft->error, ERROR_MISSING_FIELD, field->name,
                             "Invalid argument: '%s' needs '%s'. %s", statement, field->name,
                             field->documentation);
    }
    return true;
}

static enum line_kind read_request(const char *statement, const struct action_row *row, char *rest,
                                   const struct thresholds *thresholds, struct line *line,
                                   struct error *error)
{
    struct draft draft = {.error = error};

    begin_request(&draft, &line->json, row);
    if (!take_fields(&draft, rest) || (!draft.json->failed && !check_required(&draft, statement)))
        return LINE_WRONG;
    return end_request(&draft, thresholds, line);
}

/* interface NAME ttl NUMBER */
static enum line_kind read_threshold(char *rest, struct line *line, struct error *error)
{
    const struct field *ttls = field_find(action_row(ACTION_ADD_MFC), name_ttls);
    const char *name = next_word(&rest), *word = next_word(&rest), *number = next_word(&rest);
    uint64_t ttl;

    if (!name || !interface_name_is_valid(name) || !word || strcmp(word, word_ttl) != 0 ||
        !number || !read_number(number, &ttl) || ttl < ttls->low || ttl > ttls->high ||
        next_word(&rest)) {
        error_set(error, ERROR_INVALID_TYPE, NULL,
                  "Invalid argument: this takes the form '%s NAME %s NUMBER', with the name of an "
                  "interface or a pattern such as eth+, and a TTL threshold from %u to %u.",
                  word_interface, word_ttl, ttls->low, ttls->high);
        return LINE_WRONG;
    }
    line->threshold = (struct threshold){.ttl = (uint32_t)ttl};
    strcpy(line->threshold.name.text, name);
    return LINE_THRESHOLD;
}

static enum line_kind read_words(char *rest, const struct thresholds *thresholds, struct line *line,
                                 struct error *error)
{
    const char *word = next_word(&rest);
    const struct action_row *row = word ? find_statement(word) : NULL;

    if (!word)
        return LINE_BLANK;
    if (row)
        return read_request(word, row, rest, thresholds, line, error);
    if (strcmp(word, word_interface) == 0)
        return read_threshold(rest, line, error);
    error_set(
        error, ERROR_UNKNOWN_ACTION, NULL,
        "Invalid argument: there is no statement '%.40s'; a line begins with %s, %s or %s, or "
        "is a JSON request.",
        word, statements[0].word, statements[1].word, word_interface);
    return LINE_WRONG;
}

/* --- JSON ---------------------------------------------------------------------------------- */

#define JSON_SPACE " \t\r\n"

enum { NAME_SIZE = 32 }; /* no field has a longer name */

/* Behind a value that the decoder has accepted, in an object. */
static const char *skip_value(const char *at)
{
    unsigned depth = 0;
    bool in_string = false;

    for (; depth > 0 || in_string || !strchr(JSON_SPACE ",}", *at); at++) {
        if (in_string && *at == '\\')
            at++;
        else if (*at == '"')
            in_string = !in_string;
        else if (!in_string)
            depth += (unsigned)(*at == '{' || *at == '[') - (unsigned)(*at == '}' || *at == ']');
    }
    return at;
}

/* The next member of an object that the decoder has accepted; *at is behind its brace or behind a
 * member. False: there is none. */
static bool next_member(const char **at, char *name, size_t size, struct span *ret_value)
{
    const char *key = *at + strspn(*at, JSON_SPACE ",");
    size_t length;

    if (*key++ == '}')
        return false;
    length = strcspn(key, "\"");
    snprintf(name, size, "%.*s", (int)length, key);
    ret_value->start = key + length + 1 + strspn(key + length + 1, JSON_SPACE ":");
    *at = skip_value(ret_value->start);
    ret_value->length = (size_t)(*at - ret_value->start);
    return true;
}

/* Copies a payload, but for what a file implies. */
static bool copy_members(struct draft *draft, const char *at)
{
    char name[NAME_SIZE];
    struct span value;

    while (next_member(&at, name, sizeof name, &value)) {
        if (why_refused(name))
            return refuse_in_file(draft, name);
        if (is_implied(name))
            continue;
        draft->given |= bit_of(draft->row, field_find(draft->row, name));
        json_key(draft->json, name);
        json_raw(draft->json, value.start, value.length);
    }
    return true;
}

/* A request that the decoder has accepted is written anew, as a file means it. */
static enum line_kind rewrite_request(const char *bytes, const struct thresholds *thresholds,
                                      struct line *line, struct error *error)
{
    struct draft draft = {.error = error};
    char name[NAME_SIZE];
    struct span value = {"{}", 2}; /* without a payload there are no members */

    bytes += strspn(bytes, JSON_SPACE) + 1;
    while (next_member(&bytes, name, sizeof name, &value) && strcmp(name, "payload") != 0)
        ;
    begin_request(&draft, &line->json, action_row(line->request.action));
    return copy_members(&draft, value.start + 1) ? end_request(&draft, thresholds, line)
                                                 : LINE_WRONG;
}

static bool is_blank(const char *bytes, size_t n)
{
    size_t i = 0;

    while (i < n && is_space(bytes[i]))
        i++;
    return i == n || bytes[i] == '#';
}

static enum line_kind read_json(const char *bytes, size_t n, const struct thresholds *thresholds,
                                struct line *line, struct error *error)
{
    struct scan scan = {0};
    size_t used;

    if (scan_bytes(&scan, bytes, n, &used) != SCAN_COMPLETE || !is_blank(bytes + used, n - used)) {
        error_set(error, ERROR_INVALID_JSON, NULL,
                  "A JSON request must begin and end on its line, with nothing else on it.");
        return LINE_WRONG;
    }
    if (!decode_request(bytes, used, &line->request, error))
        return LINE_WRONG;
    if (!is_statement(line->request.action)) {
        error_set(error, ERROR_UNKNOWN_ACTION, "action",
                  "Invalid argument: %s is not allowed in a file, which takes %s and %s.",
                  action_row(line->request.action)->name, statements[0].action,
                  statements[1].action);
        return LINE_WRONG;
    }
    return rewrite_request(bytes, thresholds, line, error);
}

/* --- A line -------------------------------------------------------------------------------- */

enum line_kind line_read(const char *bytes, size_t n, const struct thresholds *thresholds,
                         struct line *ret_line, struct error *error)
{
    char text[REQUEST_MAX + 1];
    size_t blank = 0;

    while (blank < n && is_space(bytes[blank]))
        blank++;
    if (blank == n || bytes[blank] == '#')
        return LINE_BLANK;
    if (n > REQUEST_MAX) {
        error_set(error, ERROR_TOO_LARGE, NULL, "The line has more than %d bytes.", REQUEST_MAX);
        return LINE_WRONG;
    }
    if (bytes[blank] == '{')
        return read_json(bytes, n, thresholds, ret_line, error);
    if (!copy_line(bytes, n, text, error))
        return LINE_WRONG;
    return read_words(text, thresholds, ret_line, error);
}

bool line_refuses(const char *field)
{
    return why_refused(field) != NULL;
}

static size_t count_space(const char *bytes, size_t n)
{
    size_t count = 0;

    while (count < n && is_space(bytes[count]))
        count++;
    return count;
}

static bool begins_with(const char *bytes, size_t n, const char *word)
{
    size_t length = strlen(word);

    return n >= length && memcmp(bytes, word, length) == 0;
}

bool line_is_threshold(const char *bytes, size_t n)
{
    size_t space = count_space(bytes, n);

    return begins_with(bytes + space, n - space, word_interface);
}

bool line_is_no_threshold(const char *bytes, size_t n)
{
    size_t space = count_space(bytes, n);

    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        if (begins_with(bytes + space, n - space, statements[i].word))
            return true;
    return space == n || bytes[space] == '{' || bytes[space] == '#';
}
