#include "lease.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ID_BYTES = LEASE_ID_LENGTH / 2 };

struct lease lease_new(struct lease_source *source, uid_t uid)
{
    struct lease lease = {.uid = uid, .since = (int64_t)time(NULL)};

    if (source->left < ID_BYTES && getentropy(source->bytes, sizeof source->bytes) == 0)
        source->left = sizeof source->bytes;
    if (source->left < ID_BYTES)
        return lease;
    source->left -= ID_BYTES;
    memcpy(&lease.id, source->bytes + source->left, ID_BYTES);
    return lease;
}

const char *lease_id_format(uint64_t id, char *text)
{
    snprintf(text, LEASE_ID_SIZE, "%0*llx", LEASE_ID_LENGTH,
             (unsigned long long)(id & 0xffffffffffffULL));
    return text;
}

bool lease_id_parse(const char *text, uint64_t *ret)
{
    if (strlen(text) != LEASE_ID_LENGTH ||
        strspn(text, "0123456789abcdef") != (size_t)LEASE_ID_LENGTH)
        return false;
    *ret = strtoull(text, NULL, 16);
    return *ret != 0;
}
