/* Processes without privileges: nothing to give up, and no signal ever comes. */
#include "platform/process.h"

#include "kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void process_hide(void)
{
}

int process_memory_file(const char *name)
{
    char path[] = "/tmp/netbroker-fake-XXXXXX";
    int fd = mkstemp(path);

    (void)name;
    if (fd < 0)
        return -errno;
    unlink(path);
    return fd;
}

bool process_become_keeper(const char *user, struct error *error)
{
    (void)user;
    (void)error;
    return true;
}

bool process_become_broker(struct error *error)
{
    (void)error;
    return true;
}

void process_privileges_describe(char *text, size_t size)
{
    snprintf(text, size, "none");
}

int process_signals_open(const int *signals, size_t count)
{
    int pair[2];
    int result = fake_pair(pair);

    (void)signals;
    (void)count;
    if (result == 0)
        close(pair[0]);
    return result < 0 ? result : pair[1];
}

int process_signal_read(int fd)
{
    (void)fd;
    return -1;
}

int peer_identify(int fd, struct peer *ret)
{
    (void)fd;
    *ret = (struct peer){.uid = getuid(), .gid = getgid(), .pid = getpid()};
    return 0;
}

void peer_refuse_descriptors(int fd)
{
    (void)fd;
}
