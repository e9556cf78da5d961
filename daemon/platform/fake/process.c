/* Processes without privileges: nothing to give up, and no signal ever comes. */
#include "platform/process.h"

#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

void process_hide(void)
{
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

int process_serve_parent(const char *name, int fd)
{
    (void)name;
    return fd;
}

void process_work_for_parent(const char *name, int fd)
{
    (void)name;
    (void)fd;
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

int peer_accept(int listener)
{
    int fd = accept(listener, NULL, NULL);

    if (fd < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    return fd;
}

int peer_find_groups(int fd, struct peer *peer)
{
    (void)fd;
    (void)peer;
    return 0;
}

int peer_identify(int fd, struct peer *ret)
{
    (void)fd;
    *ret = (struct peer){.uid = getuid(), .kernel_uid = getuid(), .gid = getgid(), .pid = getpid()};
    return 0;
}

void process_find_place(struct place *ret)
{
    *ret = (struct place){0};
}

void peer_refuse_descriptors(int fd)
{
    (void)fd;
}

bool peer_can_refuse_descriptors(void)
{
    return false;
}

bool peer_passes_descriptors(int fd)
{
    (void)fd;
    return true;
}

bool peer_has_read(int fd)
{
    int charged = 0;

    return ioctl(fd, TIOCOUTQ, &charged) < 0 || charged == 0;
}
