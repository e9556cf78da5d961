#include "interfaces_allowed.h"

#include "decode.h"

#include <string.h>

/* An item of a list, without the white space around it. False: it is no name of an interface. */
static bool add_item(struct interface_set *list, const char *text, size_t length)
{
    char *name = list->names[list->count];

    while (length > 0 && strchr(" \t", *text)) {
        text++;
        length--;
    }
    while (length > 0 && strchr(" \t", text[length - 1]))
        length--;
    if (length > INTERFACE_NAME_MAX)
        return false;
    memcpy(name, text, length);
    name[length] = '\0';
    list->count++;
    return interface_name_is_valid(name) && strcspn(name, "*") + 1 >= length;
}

bool interface_set_parse(const char *text, struct interface_set *ret)
{
    struct interface_set found = {0};
    bool more = strcmp(text, "none") != 0;

    while (more) {
        size_t length = strcspn(text, ",");

        more = text[length] == ',';
        if (found.count == INTERFACES_ALLOWED_MAX || !add_item(&found, text, length))
            return false;
        text += length + more;
    }
    *ret = found;
    return true;
}

static bool is_item(const char *item, const char *name)
{
    size_t length = strlen(item);

    if (item[length - 1] == '*')
        return strncmp(item, name, length - 1) == 0;
    return strcmp(item, name) == 0;
}

bool interface_set_has(const struct interface_set *interfaces, const char *name)
{
    if (!memchr(name, '\0', INTERFACE_NAME_MAX + 1) || !interface_name_is_valid(name))
        return false;
    for (size_t i = 0; i < interfaces->count; i++)
        if (is_item(interfaces->names[i], name))
            return true;
    return false;
}
