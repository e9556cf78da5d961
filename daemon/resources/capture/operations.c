#include "operations.h"

#include "keeper/operations.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- Checks -------------------------------------------------------------------------------- */

static int check_ethertypes(const struct ethertype_list *list)
{
    if (list->count > ETHERTYPES_MAX)
        return -EINVAL;
    for (uint32_t i = 0; i < list->count; i++)
        if (list->types[i] < ETHERTYPE_LEAST)
            return -EINVAL;
    return 0;
}

int capture_check_values(const struct packets_config *packets)
{
    if (packets->ifindex == 0 || packets->ifindex > INT32_MAX || packets->latency == 0 ||
        packets->latency > LATENCY_MAX || packets->promiscuous > 1)
        return -EINVAL;
    if (packets->timestamps < TIMESTAMPS_KERNEL || packets->timestamps > TIMESTAMPS_INTERFACE)
        return -EINVAL;
    if (packets->directions == 0 || packets->directions > DIRECTION_BOTH)
        return -EINVAL;
    return check_ethertypes(&packets->ethertypes);
}

/* What counts is the name that the interface has now. */
int capture_check_open(const struct operations *operations, const struct keeper_request *request)
{
    int result = capture_check_values(&request->packets);
    char name[INTERFACE_NAME_MAX + 1] = "";

    if (result < 0)
        return result;
    if (!packets_name(request->packets.ifindex, name))
        return -ENODEV;
    return interface_set_has(&operations->config->capture_interfaces, name) ? 0 : -EACCES;
}

/* --- The act ------------------------------------------------------------------------------- */

int capture_open(struct operations *operations, const struct keeper_request *request,
                 struct keeper_answer *answer)
{
    int fd = packets_open(&request->packets);
    const char *more = fd < 0 ? packets_explain(fd) : NULL;

    (void)operations;
    if (more)
        snprintf(answer->text, sizeof answer->text, "%s", more);
    return fd;
}
