/* Who owns a multicast routing table? The kernel does not say. But the owner holds a raw IGMP (or
 * ICMPv6) socket, those are listed in /proc/net/raw (raw6) with their inodes, and each process
 * that we may look at lists the inodes that it holds under /proc/PID/fd: what `ss -wnap` does. */
#include "platform/mroute.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INODES_MAX = 64 };

struct inodes {
    unsigned long values[INODES_MAX];
    size_t count;
};

/* The "port" of a raw socket in these files is its protocol. */
static void read_inodes(uint8_t family, struct inodes *inodes)
{
    bool is_v4 = family == FAMILY_IPV4;
    FILE *file = fopen(is_v4 ? "/proc/self/net/raw" : "/proc/self/net/raw6", "re");
    char line[512];

    if (!file)
        return;
    while (inodes->count < INODES_MAX && fgets(line, sizeof line, file)) {
        unsigned protocol;
        unsigned long inode;

        if (sscanf(line, "%*u: %*[0-9A-F]:%x %*s %*s %*s %*s %*s %*u %*u %lu", &protocol, &inode) ==
                2 &&
            protocol == (is_v4 ? (unsigned)IPPROTO_IGMP : (unsigned)IPPROTO_ICMPV6))
            inodes->values[inodes->count++] = inode;
    }
    fclose(file);
}

static bool holds(int fd_directory, const char *name, const struct inodes *inodes)
{
    char target[64];
    ssize_t length = readlinkat(fd_directory, name, target, sizeof target - 1);
    unsigned long inode;

    if (length <= 0)
        return false;
    target[length] = '\0';
    if (sscanf(target, "socket:[%lu]", &inode) != 1)
        return false;
    for (size_t i = 0; i < inodes->count; i++)
        if (inodes->values[i] == inode)
            return true;
    return false;
}

static bool process_holds(const char *pid, const struct inodes *inodes)
{
    char path[64];
    bool found = false;

    snprintf(path, sizeof path, "/proc/%.20s/fd", pid);

    DIR *directory = opendir(path);
    struct dirent *entry;

    if (!directory)
        return false;
    while (!found && (entry = readdir(directory)))
        found = holds(dirfd(directory), entry->d_name, inodes);
    closedir(directory);
    return found;
}

static void append_process(const char *pid, char *text, size_t size)
{
    char path[64], name[32] = "?";
    size_t used = strlen(text);

    snprintf(path, sizeof path, "/proc/%.20s/comm", pid);

    FILE *file = fopen(path, "re");

    if (file) {
        if (fgets(name, sizeof name, file))
            name[strcspn(name, "\n")] = '\0';
        fclose(file);
    }
    snprintf(text + used, size - used, "%s%s (pid %.20s)", used ? ", " : "", name, pid);
}

void mroute_owner_describe(uint8_t family, char *text, size_t size)
{
    struct inodes inodes = {.count = 0};
    DIR *proc = opendir("/proc");
    struct dirent *entry;

    text[0] = '\0';
    read_inodes(family, &inodes);
    while (proc && (entry = readdir(proc)))
        if (isdigit((unsigned char)entry->d_name[0]) && atoi(entry->d_name) != getpid() &&
            process_holds(entry->d_name, &inodes))
            append_process(entry->d_name, text, size);
    if (proc)
        closedir(proc);
    if (!text[0])
        snprintf(text, size, "a process that netbrokerd may not see; as root, 'ss -wnap' lists it");
}
