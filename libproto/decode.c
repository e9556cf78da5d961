/* The strict check (check.h) comes first, then cJSON makes a tree of bytes that hold no surprise,
 * then each member of the payload is held against the action's row. */
#include "decode.h"

#include <cjson/cJSON.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

struct place {
    const struct field *field;
    enum field_type type; /* the field's, or that of an item of its list */
    struct error *error;
};

/* right NULL: what the type takes. */
static bool wrong(const struct place *place, enum error_code code, const char *what,
                  const char *right)
{
    const struct field *field = place->field;
    char takes[160];

    snprintf(takes, sizeof takes, type_row(place->type)->takes, field->low, field->high);
    return error_set(place->error, code, field->name, "Invalid argument: '%s' %s; it takes %s.",
                     field->name, what, right ? right : takes);
}

/* Client text within a message: cut, and without bytes that would play with a terminal. */
static const char *quote(const char *text, char *buffer, size_t size)
{
    snprintf(buffer, size, "%.*s", (int)size - 1, text);
    for (char *c = buffer; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            *c = '?';
    return buffer;
}

bool interface_name_is_valid(const char *text)
{
    size_t length = strlen(text);

    if (length == 0 || length > INTERFACE_NAME_MAX)
        return false;
    if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
        return false;
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] > '~' || text[i] == '/' || text[i] == '%')
            return false;
    return true;
}

bool interface_name_is_pattern(const char *name)
{
    size_t length = strlen(name);

    return length > 0 && name[length - 1] == '+';
}

bool interface_pattern_has(const char *pattern, const char *name)
{
    size_t length = strlen(pattern) - 1;

    return strlen(name) - interface_name_is_pattern(name) >= length &&
           memcmp(pattern, name, length) == 0;
}

static bool wrong_text(const struct place *place, enum error_code code, const char *text,
                       const char *what, const char *right)
{
    char shown[64], whole[160];

    snprintf(whole, sizeof whole, "'%s' %s", quote(text, shown, sizeof shown), what);
    return wrong(place, code, whole, right);
}

static bool parse_address(const cJSON *json, const struct place *place, void *ret)
{
    return address_parse(json->valuestring, ret) ||
           wrong_text(
               place, ERROR_INVALID_ADDRESS, json->valuestring, "is not an address",
               "an IPv4 or IPv6 address without prefix length or zone, such as \"10.0.1.10\"");
}

static bool wrong_length(const struct place *place, const char *text, const struct prefix *address)
{
    char right[64];

    snprintf(right, sizeof right, "an address, '/' and a length from 0 to %u", address->length);
    return wrong_text(place, ERROR_INVALID_ADDRESS, text, "has a wrong prefix length", right);
}

/* Whoever writes 239.1.1.1/16 means either the one address or the 65,536 of 239.1.0.0/16. */
static bool wrong_host_bits(const struct place *place, const char *text,
                            const struct prefix *prefix)
{
    char address[ADDRESS_TEXT_MAX], right[160];

    snprintf(right, sizeof right, "%s/%u for the prefix, or the address without '/%u'",
             address_format(&prefix->address, address), prefix->length, prefix->length);
    return wrong_text(place, ERROR_INVALID_ADDRESS, text, "has bits set after its prefix length",
                      right);
}

static bool parse_prefix(const char *text, const struct place *place, struct prefix *ret)
{
    switch (prefix_read(text, ret)) {
    case PREFIX_NO_ADDRESS:
        return wrong_text(place, ERROR_INVALID_ADDRESS, text, "is not an address", NULL);
    case PREFIX_WRONG_LENGTH:
        return wrong_length(place, text, ret);
    case PREFIX_RIGHT:
        return true;
    default:
        return wrong_host_bits(place, text, ret);
    }
}

static bool parse_source(const cJSON *json, const struct place *place, void *ret)
{
    struct prefix prefix;

    if (!parse_prefix(json->valuestring, place, &prefix))
        return false;
    if (address_is_multicast(&prefix.address))
        return wrong_text(place, ERROR_INVALID_ADDRESS, json->valuestring, "is a multicast address",
                          "the unicast address of a sender");
    if (address_is_any(&prefix.address) && prefix_is_single(&prefix)) /* "any source", too */
        prefix.length = 0;
    *(struct prefix *)ret = prefix;
    return true;
}

static bool parse_group(const cJSON *json, const struct place *place, void *ret)
{
    struct prefix prefix;

    if (!parse_prefix(json->valuestring, place, &prefix))
        return false;
    if (!prefix_is_multicast(&prefix))
        return wrong_text(place, ERROR_NOT_MULTICAST, json->valuestring,
                          "is not a multicast address", NULL);
    if (prefix_is_link_scoped(&prefix))
        return wrong_text(place, ERROR_NOT_FORWARDED, json->valuestring,
                          "is a link-local group (224.0.0.x, ff00:: to ff02::), which no "
                          "router forwards",
                          NULL);
    *(struct prefix *)ret = prefix;
    return true;
}

static bool parse_interface(const cJSON *json, const struct place *place, void *ret)
{
    char shown[48], what[96];

    if (!interface_name_is_valid(json->valuestring)) {
        snprintf(what, sizeof what, "cannot be '%s'",
                 quote(json->valuestring, shown, sizeof shown));
        return wrong(place, ERROR_INVALID_NAME, what, NULL);
    }
    /* The whole field is compared later, so the bytes behind the name are zero too. */
    memset(ret, 0, sizeof(struct interface_name));
    memcpy(ret, json->valuestring, strlen(json->valuestring));
    return true;
}

static bool has_name(const struct interface_list *list, const char *name)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (strcmp(list->names[i].text, name) == 0)
            return true;
    return false;
}

/* Of the field's type, or the item of its list: of the right JSON type, and then valid. */
static bool parse_value(const cJSON *json, const struct place *place, void *ret);

static bool parse_interfaces(const cJSON *json, const struct place *place, void *ret)
{
    const struct place one = {place->field, FIELD_interface, place->error};
    struct interface_list *list = ret;
    const cJSON *item;

    cJSON_ArrayForEach(item, json)
    {
        if (list->count == VIFS_MAX)
            return wrong(place, ERROR_OUT_OF_RANGE, "is too long", "at most 32 interfaces");
        if (!parse_value(item, &one, &list->names[list->count]))
            return false;
        if (has_name(list, item->valuestring))
            return wrong(place, ERROR_INVALID_NAME, "names an interface twice",
                         "each interface once");
        list->count++;
    }
    if (list->count < place->field->low)
        return wrong(place, ERROR_OUT_OF_RANGE, "is empty", "one interface or more");
    return true;
}

static bool parse_number(const cJSON *json, const struct place *place, void *ret)
{
    const struct field *field = place->field;

    if (json->valuedouble < field->low || json->valuedouble > field->high)
        return wrong(place, ERROR_OUT_OF_RANGE, "is out of range", NULL);
    *(uint32_t *)ret = (uint32_t)json->valuedouble;
    return true;
}

static bool parse_table(const cJSON *json, const struct place *place, void *ret)
{
    return parse_number(json, place, ret);
}

static bool parse_numbers(const cJSON *json, const struct place *place, void *ret)
{
    const struct place one = {place->field, FIELD_number, place->error};
    struct number_list *list = ret;
    const cJSON *item;

    cJSON_ArrayForEach(item, json)
    {
        if (list->count == VIFS_MAX)
            return wrong(place, ERROR_OUT_OF_RANGE, "is too long", "at most 32 integers");
        if (!parse_value(item, &one, &list->values[list->count]))
            return false;
        list->count++;
    }
    return true;
}

static bool parse_flag(const cJSON *json, const struct place *place, void *ret)
{
    (void)place;
    *(bool *)ret = cJSON_IsTrue(json);
    return true;
}

static bool parse_word(const cJSON *json, const struct place *place, void *ret)
{
    size_t length = strlen(json->valuestring);

    if (length == 0 || length > WORD_LENGTH_MAX)
        return wrong(place, ERROR_OUT_OF_RANGE, "is empty or too long", NULL);
    memcpy(((struct word *)ret)->text, json->valuestring, length + 1);
    return true;
}

static bool parse_counter(const cJSON *json, const struct place *place, void *ret)
{
    if (json->valuedouble < 0) /* the check has let no more than 15 digits pass */
        return wrong(place, ERROR_OUT_OF_RANGE, "is out of range", NULL);
    *(uint64_t *)ret = (uint64_t)json->valuedouble;
    return true;
}

/* Whether there is a character that moves a cursor, of ASCII or, after 0xc2 in UTF-8, of Latin-1.
 */
static bool has_control(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c < 0x20 || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0))
            return true;
    return false;
}

static bool parse_label(const cJSON *json, const struct place *place, void *ret)
{
    size_t length = strlen(json->valuestring);

    if (length < place->field->low || length > place->field->high)
        return wrong(place, ERROR_OUT_OF_RANGE, "is empty or too long", NULL);
    if (has_control(json->valuestring))
        return wrong(place, ERROR_OUT_OF_RANGE, "has control characters", NULL);
    memcpy(((struct label *)ret)->text, json->valuestring, length + 1);
    return true;
}

static bool parse_id(const cJSON *json, uint32_t *ret)
{
    if (!cJSON_IsNumber(json) || json->valuedouble < 0 || json->valuedouble >= UINT32_MAX)
        return false;
    *ret = (uint32_t)json->valuedouble;
    return true;
}

static bool parse_gids(const cJSON *json, struct user *user)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, json)
    {
        if (user->gid_count == USER_GROUPS_MAX || !parse_id(item, &user->gids[user->gid_count++]))
            return false;
    }
    return cJSON_IsArray(json);
}

static bool parse_user(const cJSON *json, const struct place *place, void *ret)
{
    struct user user = {.given = true};

    if (cJSON_GetArraySize(json) != 2 ||
        !parse_id(cJSON_GetObjectItemCaseSensitive(json, "uid"), &user.uid) ||
        !parse_gids(cJSON_GetObjectItemCaseSensitive(json, "gids"), &user))
        return wrong(place, ERROR_OUT_OF_RANGE, "is not a user", NULL);
    *(struct user *)ret = user;
    return true;
}

static bool parse_uid(const cJSON *json, const struct place *place, void *ret)
{
    struct uid uid = {.given = true};

    if (!parse_id(json, &uid.number))
        return wrong(place, ERROR_OUT_OF_RANGE, "is no user", NULL);
    *(struct uid *)ret = uid;
    return true;
}

static bool parse_family(const cJSON *json, const struct place *place, void *ret)
{
    uint8_t *family = ret;

    if (strcmp(json->valuestring, "ipv4") == 0)
        *family = FAMILY_IPV4;
    else if (strcmp(json->valuestring, "ipv6") == 0)
        *family = FAMILY_IPV6;
    else
        return wrong_text(place, ERROR_OUT_OF_RANGE, json->valuestring, "is not an address family",
                          NULL);
    return true;
}

enum { INSTRUCTION_DIGITS = 16 };

/* The value of a hexadecimal digit, or -1. */
static int digit_value(char digit)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *found = digit ? strchr(digits, digit) : NULL;

    return found ? (int)((found - digits) % 16) : -1;
}

/* Six pairs of digits; "52:54:00:12:34:56". */
static bool read_mac(const char *text, struct mac *ret)
{
    for (unsigned i = 0; i < MAC_BYTES; i++, text += 3) {
        int high = digit_value(text[0]), low = high < 0 ? -1 : digit_value(text[1]);

        if (low < 0 || text[2] != (i + 1 < MAC_BYTES ? ':' : '\0'))
            return false;
        ret->bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool parse_mac(const cJSON *json, const struct place *place, void *ret)
{
    static const uint8_t zero[MAC_BYTES];
    const char *text = json->valuestring;
    struct mac mac = {.given = true};

    if (!read_mac(text, &mac))
        return wrong_text(place, ERROR_INVALID_ADDRESS, text, "is not an Ethernet address", NULL);
    if (mac.bytes[0] & 1)
        return wrong_text(place, ERROR_INVALID_ADDRESS, text, "is a multicast address", NULL);
    if (memcmp(mac.bytes, zero, MAC_BYTES) == 0)
        return wrong_text(place, ERROR_INVALID_ADDRESS, text, "is no station's address", NULL);
    *(struct mac *)ret = mac;
    return true;
}

static bool read_ethertype(const char *text, uint16_t *ret)
{
    static const struct {
        const char *word;
        uint16_t type;
    } names[] = {
#define E(word, type) {word, type},
        ETHERTYPE_NAMES(E)
#undef E
    };
    uint32_t value = 0;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(text, names[i].word) == 0) {
            *ret = names[i].type;
            return true;
        }
    if (strncmp(text, "0x", 2) != 0 || strlen(text) < 3 || strlen(text) > 6)
        return false;
    for (text += 2; *text; text++) {
        if (digit_value(*text) < 0)
            return false;
        value = value << 4 | (uint32_t)digit_value(*text);
    }
    *ret = (uint16_t)value;
    return true;
}

bool ethertype_parse(const char *text, uint16_t *ret)
{
    uint16_t type;

    if (!read_ethertype(text, &type) || type < ETHERTYPE_LEAST)
        return false;
    *ret = type;
    return true;
}

static bool add_ethertype(struct ethertype_list *list, uint16_t type)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->types[i] == type)
            return false;
    list->types[list->count++] = type;
    return true;
}

static bool parse_ethertypes(const cJSON *json, const struct place *place, void *ret)
{
    struct ethertype_list *list = ret;
    const cJSON *item;
    uint16_t type;

    cJSON_ArrayForEach(item, json)
    {
        if (!cJSON_IsString(item))
            return wrong(place, ERROR_INVALID_TYPE, "holds something other than text", NULL);
        if (list->count == ETHERTYPES_MAX)
            return wrong(place, ERROR_OUT_OF_RANGE, "is too long", "at most 16 EtherTypes");
        if (!ethertype_parse(item->valuestring, &type))
            return wrong_text(place, ERROR_OUT_OF_RANGE, item->valuestring, "is no EtherType",
                              NULL);
        if (!add_ethertype(list, type))
            return wrong(place, ERROR_OUT_OF_RANGE, "names an EtherType twice", "each once");
    }
    return list->count > 0 ||
           wrong(place, ERROR_OUT_OF_RANGE, "is empty; leave it out for all EtherTypes", NULL);
}

/* A list of texts, each of which `add` reads. */
static bool parse_items(const cJSON *json, const struct place *place, void *list,
                        enum scope_added (*add)(void *list, const char *text))
{
    const cJSON *item;

    cJSON_ArrayForEach(item, json)
    {
        if (!cJSON_IsString(item))
            return wrong(place, ERROR_INVALID_TYPE, "holds something other than text", NULL);
        switch (add(list, item->valuestring)) {
        case SCOPE_ADDED:
            break;
        case SCOPE_WRONG:
            return wrong_text(place, ERROR_OUT_OF_RANGE, item->valuestring, "is none", NULL);
        case SCOPE_TWICE:
            return wrong_text(place, ERROR_OUT_OF_RANGE, item->valuestring, "stands there twice",
                              "each once");
        default:
            return wrong(place, ERROR_OUT_OF_RANGE, "is too long", "at most 32");
        }
    }
    return cJSON_GetArraySize(json) > 0 ||
           wrong(place, ERROR_OUT_OF_RANGE, "is empty; leave it out for the default", NULL);
}

#define ITEMS(name, list_type)                                                                     \
    static enum scope_added add_##name(void *list, const char *text)                               \
    {                                                                                              \
        return list_type##_add(list, text);                                                        \
    }                                                                                              \
    static bool parse_##name(const cJSON *json, const struct place *place, void *ret)              \
    {                                                                                              \
        return parse_items(json, place, ret, add_##name);                                          \
    }
ITEMS(sources, source_list)
ITEMS(destinations, destination_list)
ITEMS(vlans, vlan_list)
#undef ITEMS

static const char *const direction_words[] = {
    [DIRECTION_IN] = "in", [DIRECTION_OUT] = "out", [DIRECTION_BOTH] = "both"};

const char *direction_word(uint8_t direction)
{
    return direction_words[direction & DIRECTION_BOTH ? direction & DIRECTION_BOTH
                                                      : DIRECTION_BOTH];
}

bool direction_parse(const char *text, uint8_t *ret)
{
    for (unsigned i = DIRECTION_IN; i <= DIRECTION_BOTH; i++)
        if (strcmp(text, direction_words[i]) == 0) {
            *ret = (uint8_t)i;
            return true;
        }
    return false;
}

const char *timestamps_word(uint8_t timestamps)
{
    return timestamps == TIMESTAMPS_INTERFACE ? "interface" : "kernel";
}

bool timestamps_parse(const char *text, uint8_t *ret)
{
    for (unsigned i = TIMESTAMPS_KERNEL; i <= TIMESTAMPS_INTERFACE; i++)
        if (strcmp(text, timestamps_word((uint8_t)i)) == 0) {
            *ret = (uint8_t)i;
            return true;
        }
    return false;
}

static bool parse_timestamps(const cJSON *json, const struct place *place, void *ret)
{
    return timestamps_parse(json->valuestring, ret) ||
           wrong_text(place, ERROR_OUT_OF_RANGE, json->valuestring, "is no clock", NULL);
}

static bool parse_rate(const cJSON *json, const struct place *place, void *ret)
{
    return parse_number(json, place, ret);
}

static bool parse_direction(const cJSON *json, const struct place *place, void *ret)
{
    return direction_parse(json->valuestring, ret) ||
           wrong_text(place, ERROR_OUT_OF_RANGE, json->valuestring, "is no direction", NULL);
}

/* n digits. */
static bool read_digits(const char *text, unsigned n, uint32_t *ret)
{
    *ret = 0;
    for (unsigned i = 0; i < n; i++) {
        int digit = digit_value(text[i]);

        if (digit < 0)
            return false;
        *ret = *ret << 4 | (uint32_t)digit;
    }
    return true;
}

static bool read_instruction(const char *text, struct instruction *ret)
{
    uint32_t code, jt, jf;

    if (!read_digits(text, 4, &code) || !read_digits(text + 4, 2, &jt) ||
        !read_digits(text + 6, 2, &jf) || !read_digits(text + 8, 8, &ret->k))
        return false;
    ret->code = (uint16_t)code;
    ret->jt = (uint8_t)jt;
    ret->jf = (uint8_t)jf;
    return true;
}

/* Whether it is a program that can run is not judged here: filter/filter.h. */
static bool parse_program(const cJSON *json, const struct place *place, void *ret)
{
    const char *text = json->valuestring;
    struct program *program = ret;

    if (strlen(text) > (size_t)PROGRAM_MAX * INSTRUCTION_DIGITS)
        return wrong(place, ERROR_OUT_OF_RANGE, "is too long", NULL);
    for (; *text; text += INSTRUCTION_DIGITS)
        if (!read_instruction(text, &program->instructions[program->count++]))
            return wrong(place, ERROR_OUT_OF_RANGE, "is no program", NULL);
    return true;
}

static bool parse_host(const char *text, const struct place *place, struct host_address *ret)
{
    switch (host_address_read(text, ret)) {
    case PREFIX_NO_ADDRESS:
        return wrong_text(place, ERROR_INVALID_ADDRESS, text, "is not an address", NULL);
    case PREFIX_RIGHT:
        return host_address_is_sound(ret) ||
               wrong_text(
                   place, ERROR_INVALID_ADDRESS, text, "is no address that a host can have",
                   "such as \"192.168.0.1/24\": neither the first nor the last of its prefix");
    default:
        return wrong_text(place, ERROR_INVALID_ADDRESS, text, "has no right prefix length",
                          "an address, '/' and a length from 1 to 32, or to 128 for IPv6");
    }
}

static bool has_host(const struct host_list *list, const struct address *address)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (address_equal(&list->hosts[i].address, address))
            return true;
    return false;
}

static bool parse_hosts(const cJSON *json, const struct place *place, void *ret)
{
    struct host_list *list = ret;
    struct host_address host;
    const cJSON *item;

    cJSON_ArrayForEach(item, json)
    {
        if (!cJSON_IsString(item))
            return wrong(place, ERROR_INVALID_TYPE, "holds something other than text", NULL);
        if (list->count == place->field->high)
            return wrong(place, ERROR_OUT_OF_RANGE, "is too long", "at most 8 addresses");
        if (!parse_host(item->valuestring, place, &host))
            return false;
        if (has_host(list, &host.address))
            return wrong(place, ERROR_INVALID_ADDRESS, "names an address twice",
                         "each address once");
        list->hosts[list->count++] = host;
    }
    return true;
}

static bool has_prefix(const struct prefix_list *list, const struct prefix *prefix)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (prefix_equal(&list->prefixes[i], prefix))
            return true;
    return false;
}

/* Where packets to a host may be led; what is for everybody is no network of a link. */
static bool parse_network(const char *text, const struct place *place, struct prefix *ret)
{
    if (!parse_prefix(text, place, ret))
        return false;
    return (ret->length > 0 && !address_is_multicast(&ret->address) &&
            !address_is_any(&ret->address)) ||
           wrong_text(place, ERROR_INVALID_ADDRESS, text, "is no network of hosts", NULL);
}

static bool parse_prefixes(const cJSON *json, const struct place *place, void *ret)
{
    struct prefix_list *list = ret;
    struct prefix prefix;
    const cJSON *item;

    cJSON_ArrayForEach(item, json)
    {
        if (!cJSON_IsString(item))
            return wrong(place, ERROR_INVALID_TYPE, "holds something other than text", NULL);
        if (list->count == place->field->high)
            return wrong(place, ERROR_OUT_OF_RANGE, "is too long", "at most 8 prefixes");
        if (!parse_network(item->valuestring, place, &prefix))
            return false;
        if (has_prefix(list, &prefix))
            return wrong(place, ERROR_INVALID_ADDRESS, "names a prefix twice", "each prefix once");
        list->prefixes[list->count++] = prefix;
    }
    return true;
}

static bool matches_event(const char *pattern)
{
    for (size_t i = 0; event_topic(i); i++)
        if (fnmatch(pattern, event_topic(i), 0) == 0)
            return true;
    return false;
}

/* Whether both begin with the same word, as the topics of one kind of resource do. */
static bool is_related(const char *topic, const char *pattern)
{
    size_t length = strcspn(topic, ".");

    return strncmp(topic, pattern, length) == 0 && (pattern[length] == '.' || !pattern[length]);
}

/* Whether it is the first topic with its first word. */
static bool is_first(size_t index)
{
    return index == 0 || !is_related(event_topic(index - 1), event_topic(index));
}

/* A subscriber to it would wait for ever. What it takes: the topics with the same first word, or
 * a pattern for each first word. */
static bool wrong_topic(const struct place *place, const char *pattern)
{
    char related[200] = "", groups[80] = "";
    size_t used = 0, length = 0;

    for (size_t i = 0; event_topic(i); i++) {
        const char *topic = event_topic(i);
        size_t word = strcspn(topic, ".");

        if (is_related(topic, pattern) && used < sizeof related)
            used += (size_t)snprintf(related + used, sizeof related - used, "%s%s",
                                     used ? ", " : "", topic);
        if (is_first(i) && length < sizeof groups)
            length +=
                (size_t)snprintf(groups + length, sizeof groups - length, "%s%.*s%s",
                                 length ? ", " : "", (int)word, topic, topic[word] ? ".*" : "");
    }
    return wrong_text(place, ERROR_OUT_OF_RANGE, pattern, "matches no event",
                      used ? related : groups);
}

static bool parse_topics(const cJSON *json, const struct place *place, void *ret)
{
    struct topic_list *list = ret;
    const cJSON *item;

    cJSON_ArrayForEach(item, json)
    {
        if (!cJSON_IsString(item))
            return wrong(place, ERROR_INVALID_TYPE, "holds something other than text", NULL);

        size_t length = strlen(item->valuestring);

        if (list->count == TOPICS_MAX || length == 0 || length > TOPIC_LENGTH_MAX)
            return wrong(place, ERROR_OUT_OF_RANGE, "is too long", NULL);
        if (!matches_event(item->valuestring))
            return wrong_topic(place, item->valuestring);
        memcpy(list->patterns[list->count++], item->valuestring, length + 1);
    }
    return list->count > 0 || wrong(place, ERROR_OUT_OF_RANGE, "is empty", NULL);
}

typedef bool parse_function(const cJSON *json, const struct place *place, void *ret);

static parse_function *const parsers[] = {
#define T(type, ...) [FIELD_##type] = parse_##type,
    FIELD_TYPES(T)
#undef T
};

static bool has_type(const cJSON *json, enum field_type type)
{
    const struct type_row *row = type_row(type);

    if (row->shape == LIST)
        return cJSON_IsArray(json);
    return row->json == JSON_TEXT      ? cJSON_IsString(json)
           : row->json == JSON_INTEGER ? cJSON_IsNumber(json)
           : row->json == JSON_BOOLEAN ? cJSON_IsBool(json)
                                       : cJSON_IsObject(json);
}

static bool parse_value(const cJSON *json, const struct place *place, void *ret)
{
    static const char *const faults[] = {
        [JSON_TEXT] = "is not a string",
        [JSON_INTEGER] = "is not a number",
        [JSON_BOOLEAN] = "is neither true nor false",
        [JSON_OBJECT] = "is not an object",
    };
    const struct type_row *row = type_row(place->type);

    if (!has_type(json, place->type))
        return wrong(place, ERROR_INVALID_TYPE,
                     row->shape == LIST ? "is not a list" : faults[row->json], NULL);
    return parsers[place->type](json, place, ret);
}

static void list_fields(const struct action_row *row, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < row->field_count && used < size; i++)
        used +=
            (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", row->fields[i].name);
}

static bool refuse_unknown(const struct action_row *row, const char *name, struct error *error)
{
    char shown[48], fields[160];

    quote(name, shown, sizeof shown);
    list_fields(row, fields, sizeof fields);
    return error_set(error, ERROR_UNKNOWN_FIELD, shown,
                     "Invalid argument: %s has no field '%s'; it takes %s.", row->name, shown,
                     fields[0] ? fields : "none");
}

static void set_fallbacks(const struct action_row *row, char *args)
{
    for (size_t i = 0; i < row->field_count; i++)
        if (row->fields[i].fallback && type_row(row->fields[i].type)->json == JSON_INTEGER)
            memcpy(args + row->fields[i].offset, &row->fields[i].fallback, sizeof(uint32_t));
}

static bool check_required(const struct action_row *row, const cJSON *payload, struct error *error)
{
    for (size_t i = 0; i < row->field_count; i++) {
        const struct field *field = &row->fields[i];

        if (field_is_required(field) && !cJSON_GetObjectItemCaseSensitive(payload, field->name))
            return error_set(error, ERROR_MISSING_FIELD, field->name,
                             "Invalid argument: %s needs '%s'. %s", row->name, field->name,
                             field->documentation);
    }
    return true;
}

static bool decode_payload(const struct action_row *row, const cJSON *payload, char *args,
                           struct error *error)
{
    const cJSON *member;

    set_fallbacks(row, args);
    if (payload && !cJSON_IsObject(payload))
        return error_set(error, ERROR_INVALID_TYPE, "payload",
                         "Invalid argument: 'payload' takes an object.");
    cJSON_ArrayForEach(member, payload)
    {
        const struct field *field = field_find(row, member->string);

        if (!field)
            return refuse_unknown(row, member->string, error);

        const struct place place = {field, field->type, error};

        if (!parse_value(member, &place, args + field->offset))
            return false;
    }
    return check_required(row, payload, error);
}

static bool check_envelope(const cJSON *request, struct error *error)
{
    const cJSON *member;

    cJSON_ArrayForEach(member, request)
    {
        const char *name = member->string;
        char shown[48];

        if (strcmp(name, "action") == 0 || strcmp(name, "payload") == 0 ||
            strcmp(name, "id") == 0 || strcmp(name, "fds") == 0)
            continue;
        quote(name, shown, sizeof shown);
        return error_set(error, ERROR_UNKNOWN_FIELD, shown,
                         "Invalid argument: a request has no field '%s'; it takes action, payload "
                         "and id.",
                         shown);
    }
    return true;
}

static bool find_action(const cJSON *request, enum action *ret, struct error *error)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(request, "action");
    char shown[48];

    if (!name)
        return error_set(error, ERROR_MISSING_FIELD, "action",
                         "Invalid argument: a request needs 'action', such as \"PING\"; "
                         "DESCRIBE lists all actions.");
    if (!cJSON_IsString(name))
        return error_set(error, ERROR_INVALID_TYPE, "action",
                         "Invalid argument: 'action' takes the name of an action.");
    *ret = action_find(name->valuestring);
    return *ret != ACTION_COUNT ||
           error_set(error, ERROR_UNKNOWN_ACTION, "action",
                     "Invalid argument: there is no action '%s'; DESCRIBE lists all actions.",
                     quote(name->valuestring, shown, sizeof shown));
}

static bool names_are(const cJSON *names, const char *words)
{
    const cJSON *name;

    cJSON_ArrayForEach(name, names)
    {
        size_t length = strcspn(words, " ");

        if (!cJSON_IsString(name) || length == 0 || strlen(name->valuestring) != length ||
            strncmp(name->valuestring, words, length) != 0)
            return false;
        words += length + (words[length] == ' ');
    }
    return *words == '\0';
}

static bool decode_fds(const struct action_row *row, const cJSON *names, size_t *ret,
                       struct error *error)
{
    *ret = word_count(row->takes);
    return ((!names || cJSON_IsArray(names)) && names_are(names, row->takes)) ||
           error_set(error, ERROR_INVALID_DESCRIPTOR, "fds",
                     "Invalid argument: %s takes %s%s; 'fds' is the list of their names, in this "
                     "order.",
                     row->name, *ret ? "the descriptors " : "no descriptors", row->takes);
}

static bool decode_tree(const cJSON *tree, struct request *request, struct error *error)
{
    return check_envelope(tree, error) && find_action(tree, &request->action, error) &&
           decode_fds(action_row(request->action), cJSON_GetObjectItemCaseSensitive(tree, "fds"),
                      &request->fd_count, error) &&
           decode_payload(action_row(request->action),
                          cJSON_GetObjectItemCaseSensitive(tree, "payload"), (char *)&request->args,
                          error);
}

bool decode_request(const char *bytes, size_t n, struct request *ret, struct error *error)
{
    struct request request = {0};

    *ret = request;
    if (n > REQUEST_MAX)
        return error_set(error, ERROR_TOO_LARGE, NULL,
                         "The request has more than %d bytes; send several smaller requests.",
                         REQUEST_MAX);

    bool strict = check_request(bytes, n, &request.id, error);

    ret->id = request.id;
    if (!strict)
        return false;

    cJSON *tree = cJSON_ParseWithLength(bytes, n);

    if (!tree)
        return error_set(error, ERROR_NO_MEMORY, NULL,
                         "The service has no memory for this request; try again later.");

    bool valid = decode_tree(tree, &request, error);

    cJSON_Delete(tree);
    if (valid)
        *ret = request;
    return valid;
}

bool decode_fields(const struct action_row *row, const struct span *object, void *ret,
                   struct error *error)
{
    cJSON *tree = cJSON_ParseWithLength(object->start, object->length);
    bool valid;

    if (!tree)
        return error_set(error, ERROR_NO_MEMORY, NULL, "There is no memory to read it.");
    valid = decode_payload(row, tree, ret, error);
    cJSON_Delete(tree);
    return valid;
}

bool request_flag(const struct request *request, const char *name)
{
    const struct field *field = field_find(action_row(request->action), name);

    return field && field->type == FIELD_flag &&
           *(const bool *)((const char *)&request->args + field->offset);
}
