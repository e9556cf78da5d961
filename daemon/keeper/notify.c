#include "notify.h"

#include "fdpass.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

bool notify_has_manager(void)
{
    const char *path = getenv("NOTIFY_SOCKET");

    return path && path[0];
}

void notify_manager(const char *state, int fd)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = path ? strlen(path) : 0;

    if (length == 0 || length >= sizeof address.sun_path)
        return;
    memcpy(address.sun_path, path, length);
    if (path[0] == '@') /* an abstract socket */
        address.sun_path[0] = '\0';

    struct fdpass_target manager = {
        (const struct sockaddr *)&address,
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length),
    };
    int s = socket(AF_UNIX, SOCK_DGRAM, 0);

    if (s < 0)
        return;
    /* A manager that does not listen is no reason to stop. */
    fdpass_send(s, &manager, state, strlen(state), fd);
    close(s);
}
