/* The configuration file: what is accepted ends within its room, and a mistake changes nothing. */
#include "config.h"
#include "fuzz.h"
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* Another's link, such as /proc has for memory, is not used as a configuration. */
static char path[] = "/tmp/netbroker-fuzz-config-XXXXXX";

static void remove_file(void)
{
    unlink(path);
}

static void make_file(const uint8_t *bytes, size_t n)
{
    static int fd = -1;

    if (fd < 0) {
        fd = mkstemp(path);
        atexit(remove_file);
    }
    must(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, bytes, n, 0) == (ssize_t)n,
         "there is a file");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct config config, before;
    struct mistakes mistakes = {0};

    make_file(bytes, n);
    log_set_level(LOG_ERR - 1); /* mistakes are told there */
    config_init(&config);
    config.started_by = geteuid();
    snprintf(config.file, sizeof config.file, "%s", path);
    config.file_required = true;
    before = config;
    if (config_read(&config, &mistakes))
        check_config(&config);
    else
        /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-*): a whole copy */
        must(memcmp(&config, &before, sizeof config) == 0, "a mistake changes nothing");
    config_read_for_start(&before);
    check_config(&before);
    must(before.mistakes.count == mistakes.count, "a start finds the same mistakes");
    return 0;
}
