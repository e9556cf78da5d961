/* The fake kernel's interfaces, and its word on them. */
#include "platform/links.h"

#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct fake *fake_kernel(void)
{
    static struct fake kernel;

    return &kernel;
}

int fake_pair(int ret[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ret) < 0)
        return -errno;
    for (int i = 0; i < 2; i++) {
        fcntl(ret[i], F_SETFL, O_NONBLOCK);
        fcntl(ret[i], F_SETFD, FD_CLOEXEC);
    }
    return 0;
}

void fake_reset(void)
{
    struct fake *kernel = fake_kernel();

    if (kernel->used) {
        fake_tables_reset();
        if (kernel->links_peer >= 0)
            close(kernel->links_peer);
    }
    memset(kernel, 0, sizeof *kernel);
    kernel->used = true;
    kernel->links_peer = -1;
    for (size_t i = 0; i < FAKE_TABLES_MAX; i++)
        kernel->tables[i].peer = -1;
}

/* --- The test's side ----------------------------------------------------------------------- */

static struct link_info *find_link(const char *name)
{
    struct fake *kernel = fake_kernel();

    for (size_t i = 0; i < kernel->link_count; i++)
        if (strcmp(kernel->links[i].name, name) == 0)
            return &kernel->links[i];
    fprintf(stderr, "fake platform: there is no interface %s\n", name);
    abort();
}

static void tell(const struct link_info *link, bool gone)
{
    struct fake *kernel = fake_kernel();

    if (kernel->links_peer < 0)
        return;
    if (kernel->news_count == FAKE_NEWS_MAX)
        kernel->overrun = true;
    else
        kernel->news[kernel->news_count++] = (struct fake_news){gone, *link};
    /* A full socket is readable as well. */
    if (send(kernel->links_peer, "", 1, MSG_NOSIGNAL) < 0)
        return;
}

unsigned fake_link_add(const char *name)
{
    struct fake *kernel = fake_kernel();
    struct link_info link = {
        .ifindex = ++kernel->last_ifindex,
        .up = true,
        .running = true,
        .ipv6 = true,
    };

    if (kernel->link_count == FAKE_LINKS_MAX)
        abort();
    snprintf(link.name, sizeof link.name, "%s", name);
    kernel->links[kernel->link_count++] = link;
    tell(&link, false);
    return link.ifindex;
}

void fake_link_del(const char *name)
{
    struct fake *kernel = fake_kernel();
    struct link_info *place = find_link(name), link = *place;

    *place = kernel->links[--kernel->link_count];
    fake_tables_lose_link(link.ifindex);
    fake_memberships_lose_link(link.ifindex);
    tell(&link, true);
}

void fake_link_rename(const char *from, const char *to)
{
    struct link_info *link = find_link(from);

    snprintf(link->name, sizeof link->name, "%s", to);
    tell(link, false);
}

void fake_link_set_running(const char *name, bool running)
{
    struct link_info *link = find_link(name);

    link->running = running;
    tell(link, false);
}

void fake_links_overrun(void)
{
    fake_kernel()->overrun = true;
}

/* --- The platform's side ------------------------------------------------------------------- */

/* As the real one: what there is comes as news, behind which the dump is complete. */
int links_socket_open(void)
{
    struct fake *kernel = fake_kernel();
    int pair[2];
    int result = fake_pair(pair);

    if (result < 0)
        return result;
    if (kernel->links_peer >= 0)
        close(kernel->links_peer);
    kernel->links_peer = pair[0];
    kernel->news_count = 0;
    kernel->overrun = false;
    for (size_t i = 0; i < kernel->link_count; i++)
        tell(&kernel->links[i], false);
    return pair[1];
}

static void tell_all(struct fake *kernel, const struct link_visitor *visitor)
{
    visitor->restart(visitor->context);
    for (size_t i = 0; i < kernel->link_count; i++)
        visitor->changed(visitor->context, &kernel->links[i]);
    visitor->complete(visitor->context);
}

int links_socket_read(int fd, const struct link_visitor *visitor)
{
    struct fake *kernel = fake_kernel();
    size_t count = kernel->news_count;
    char byte;

    while (recv(fd, &byte, 1, 0) > 0)
        ;
    kernel->news_count = 0;
    if (kernel->overrun) {
        kernel->overrun = false;
        tell_all(kernel, visitor);
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        const struct fake_news *news = &kernel->news[i];

        if (news->gone)
            visitor->gone(visitor->context, news->link.ifindex);
        else
            visitor->changed(visitor->context, &news->link);
    }
    return 0;
}
