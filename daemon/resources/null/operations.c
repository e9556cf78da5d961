#include "operations.h"

#include "keeper/operations.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

bool null_name_is_valid(const char *name)
{
    size_t length = strnlen(name, NULL_NAME_MAX + 1);

    return length > 0 && length <= NULL_NAME_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

static void format_name(char *name, const struct keeper_request *request)
{
    snprintf(name, KEPT_NAME_MAX + 1, NULL_KEPT_PREFIX "%.*s", NULL_NAME_MAX, request->text);
}

/* An eventfd has no type of file, and no other descriptor that a manager can store has none but
 * those that are read like it. */
static bool accept_null(struct kept *kept, const char *name, int fd)
{
    struct stat status;

    (void)kept;
    return null_name_is_valid(name + strlen(NULL_KEPT_PREFIX)) && fstat(fd, &status) == 0 &&
           (status.st_mode & S_IFMT) == 0;
}

const struct keeper_kind null_kept = {
    .prefix = NULL_KEPT_PREFIX,
    .most = NULLS_MAX,
    .lent = true,
    .accept = accept_null,
};

int null_check_name(const struct operations *operations, const struct keeper_request *request)
{
    (void)operations;
    return null_name_is_valid(request->text) ? 0 : -EINVAL;
}

int null_open(struct operations *operations, const struct keeper_request *request,
              struct keeper_answer *answer)
{
    char name[KEPT_NAME_MAX + 1];
    int fd, result;

    (void)answer;
    format_name(name, request);
    fd = kept_find(operations->kept, name);
    if (fd >= 0)
        return fd;
    result = kept_judge(operations->kept, name);
    if (result < 0)
        return result;
    fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return -errno;
    kept_add(operations->kept, name, fd);
    return fd;
}

int null_close(struct operations *operations, const struct keeper_request *request,
               struct keeper_answer *answer)
{
    char name[KEPT_NAME_MAX + 1];

    (void)answer;
    format_name(name, request);
    kept_remove(operations->kept, name);
    return 0;
}
