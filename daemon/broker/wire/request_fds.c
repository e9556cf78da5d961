#include "request_fds.h"

#include <string.h>
#include <sys/socket.h>

/* #syscalls broker: getsockopt */
static bool is_socket(int fd)
{
    int type;
    socklen_t length = sizeof type;

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0;
}

static const struct {
    const char *word;
    bool (*check)(int fd);
} types[] = {
    {"socket", is_socket},
};

static bool check(const char *word, size_t length, int fd)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strlen(types[i].word) == length && strncmp(types[i].word, word, length) == 0)
            return types[i].check(fd);
    return false;
}

bool request_fds_check(const char *words, const int *fds, struct error *error)
{
    for (size_t length; *words; words += length + (words[length] == ' '), fds++) {
        length = strcspn(words, " ");
        if (!check(words, length, *fds))
            return error_set(error, ERROR_INVALID_DESCRIPTOR, "fds",
                             "Invalid argument: the descriptor '%.*s' is no %.*s.", (int)length,
                             words, (int)length, words);
    }
    return true;
}
