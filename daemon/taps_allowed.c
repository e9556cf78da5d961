#include "taps_allowed.h"

#include "decode.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char others[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

bool tap_prefix_parse(const char *text, char ret[TAP_PREFIX_MAX + 1])
{
    size_t length = strlen(text);

    if (length == 0 || length > TAP_PREFIX_MAX || !strchr(letters, text[0]) ||
        strspn(text, others) != length)
        return false;
    strcpy(ret, text);
    return true;
}

enum { ITEM_MAX = PREFIX_TEXT_MAX };

/* Takes the next item of a list, without the white space around it. Returns what follows its comma,
 * or the end of the text; NULL: it is too long. */
static const char *take_item(const char *text, char ret[ITEM_MAX + 1])
{
    size_t length = strcspn(text, ",");
    const char *rest = text + length + (text[length] == ',');

    while (length > 0 && isspace((unsigned char)*text)) {
        text++;
        length--;
    }
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        length--;
    if (length > ITEM_MAX)
        return NULL;
    memcpy(ret, text, length);
    ret[length] = '\0';
    return rest;
}

/* take adds one item to the list. A comma at the end is a mistake: there is an empty item then. */
static bool take_list(const char *text, bool (*take)(void *list, const char *item), void *list)
{
    char item[ITEM_MAX + 1];
    bool more = strcmp(text, "none") != 0;

    while (more) {
        more = strchr(text, ',') != NULL;
        text = take_item(text, item);
        if (!text || !take(list, item))
            return false;
    }
    return true;
}

static bool take_bridge(void *list, const char *item)
{
    struct tap_bridges *bridges = list;

    if (bridges->count == TAP_BRIDGES_MAX || !interface_name_is_valid(item))
        return false;
    strcpy(bridges->names[bridges->count++], item);
    return true;
}

bool tap_bridges_parse(const char *text, struct tap_bridges *ret)
{
    struct tap_bridges found = {0};

    if (!take_list(text, take_bridge, &found))
        return false;
    *ret = found;
    return true;
}

static bool take_network(void *list, const char *item)
{
    struct tap_networks *networks = list;

    return networks->count < TAP_NETWORKS_MAX &&
           prefix_read(item, &networks->prefixes[networks->count++]) == PREFIX_RIGHT;
}

bool tap_networks_parse(const char *text, struct tap_networks *ret)
{
    struct tap_networks found = {0};

    if (!take_list(text, take_network, &found))
        return false;
    *ret = found;
    return true;
}

bool tap_name_is_allowed(const char *prefix, const char *name)
{
    size_t length = strlen(prefix);

    return memchr(name, '\0', INTERFACE_NAME_MAX + 1) && interface_name_is_valid(name) &&
           strncmp(name, prefix, length) == 0 && name[length];
}

bool tap_bridge_is_allowed(const struct tap_bridges *bridges, const char *name)
{
    for (size_t i = 0; i < bridges->count; i++)
        if (strncmp(bridges->names[i], name, INTERFACE_NAME_MAX + 1) == 0)
            return true;
    return false;
}

bool tap_network_is_allowed(const struct tap_networks *networks, const struct prefix *network)
{
    for (size_t i = 0; i < networks->count; i++)
        if (prefix_covers(&networks->prefixes[i], network))
            return true;
    return false;
}
