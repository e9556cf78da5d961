/* How taps are known as ours, whatever they are called: a mark in their alias. */
#include "taps_internal.h"

#include <string.h>
#include <sys/socket.h>

bool tap_read_mark(const struct rtattr *alias, char *ret)
{
    size_t before = strlen(TAP_MARK);
    size_t length = alias ? strnlen(RTA_DATA(alias), RTA_PAYLOAD(alias)) : 0;

    if (length <= before || length > before + INTERFACE_NAME_MAX ||
        memcmp(RTA_DATA(alias), TAP_MARK, before) != 0)
        return false;
    memset(ret, 0, INTERFACE_NAME_MAX + 1);
    memcpy(ret, (const char *)RTA_DATA(alias) + before, length - before);
    return true;
}
