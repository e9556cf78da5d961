/* The configuration file: what is accepted ends within its room, and a mistake changes nothing. */
#include "config.h"
#include "fuzz.h"
#include "log.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static bool is_set(const char *text, size_t size)
{
    return text[0] && memchr(text, '\0', size);
}

static void check_config(const struct config *config)
{
    must(is_set(config->socket, sizeof config->socket), "the socket has a path");
    must(is_set(config->policy, sizeof config->policy), "the policy has a path");
    must(is_set(config->user, sizeof config->user), "the user has a name");
    must(memchr(config->state, '\0', sizeof config->state) != NULL, "the state's path ends");
    must(config->log_level >= LOG_ERR && config->log_level <= LOG_DEBUG, "the level is one");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct config config, before;
    struct mistakes mistakes = {0};
    int fd = memfd_create("config", MFD_CLOEXEC);

    must(fd >= 0 && write(fd, bytes, n) == (ssize_t)n, "there is a file");
    log_set_level(LOG_ERR - 1); /* mistakes are told there */
    config_init(&config);
    snprintf(config.file, sizeof config.file, "/proc/self/fd/%d", fd);
    config.file_required = true;
    before = config;
    if (config_read(&config, &mistakes))
        check_config(&config);
    else
        must(memcmp(&config, &before, sizeof config) == 0, "a mistake changes nothing");
    config_read_for_start(&before);
    check_config(&before);
    must(before.mistakes.count == mistakes.count, "a start finds the same mistakes");
    close(fd);
    return 0;
}
