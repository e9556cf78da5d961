#include "operations.h"

#include "keeper/operations.h"

#include <errno.h>
#include <stdio.h>

/* What counts is the name that the interface has now. */
int inject_check_open(const struct operations *operations, const struct keeper_request *request)
{
    char name[INTERFACE_NAME_MAX + 1] = "";

    if (request->ifindex == 0 || request->ifindex > INT32_MAX)
        return -EINVAL;
    if (!packets_name(request->ifindex, name))
        return -ENODEV;
    return interface_set_has(&operations->config->inject_interfaces, name) ? 0 : -EACCES;
}

int inject_open(struct operations *operations, const struct keeper_request *request,
                struct keeper_answer *answer)
{
    int fd = injection_open(request->ifindex);
    const char *more = fd < 0 ? injection_explain(fd) : NULL;

    (void)operations;
    if (more)
        snprintf(answer->text, sizeof answer->text, "%s", more);
    return fd;
}
