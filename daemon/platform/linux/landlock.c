/* The system calls have no wrappers in the C library, and linux/landlock.h of an older system does
 * not know the rights of a newer kernel. Numbers and structs are part of the kernel's ABI
 * (Documentation/userspace-api/landlock.rst), so they stand here. */
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SYS_CREATE_RULESET = 444, SYS_ADD_RULE = 445, SYS_RESTRICT_SELF = 446 };

enum { CREATE_RULESET_VERSION = 1, RULE_PATH_BENEATH = 1 };

/* Rights on files. */
enum {
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_DIR = 1 << 3,
    REMOVE_FILE = 1 << 5,
    MAKE_REG = 1 << 8,
    TRUNCATE = 1 << 14,  /* from ABI 3 on */
    IOCTL_DEV = 1 << 15, /* from ABI 5 on */

    FOLDER_READ = READ_FILE | READ_DIR,
    FOLDER_WRITE = FOLDER_READ | WRITE_FILE | REMOVE_FILE | MAKE_REG | TRUNCATE,
};

enum { BIND_TCP = 1, CONNECT_TCP = 2 };
enum { SCOPE_ABSTRACT_SOCKETS = 1, SCOPE_SIGNALS = 2 };

struct ruleset {
    uint64_t files;  /* rights that nobody has without a rule */
    uint64_t net;    /* from ABI 4 on */
    uint64_t scoped; /* from ABI 6 on: nothing beyond this process and those it starts */
};

struct path_rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

static size_t ruleset_size(int abi)
{
    return abi >= LANDLOCK_SCOPES ? 24 : abi >= 4 ? 16 : 8;
}

/* All rights that this kernel knows and we do. */
static struct ruleset deny_all(int abi, bool abstract_sockets)
{
    static const unsigned char counts[] = {0, 13, 14, 15, 15, 16};
    struct ruleset ruleset = {.files = (1U << counts[abi < 5 ? abi : 5]) - 1};

    if (abi >= 4)
        ruleset.net = BIND_TCP | CONNECT_TCP;
    if (abi >= LANDLOCK_SCOPES)
        ruleset.scoped = SCOPE_SIGNALS | (abstract_sockets ? 0 : SCOPE_ABSTRACT_SOCKETS);
    return ruleset;
}

/* Folders keep what is put into them later; a file is allowed as it is now. */
static int allow(int ruleset, const char *path, uint64_t allowed)
{
    struct path_rule rule = {.allowed = allowed, .parent = open(path, O_PATH | O_CLOEXEC)};
    struct stat status;
    int result = 0;

    if (rule.parent < 0)
        return errno == ENOENT || errno == EACCES ? 0 : -errno;
    if (fstat(rule.parent, &status) == 0 && !S_ISDIR(status.st_mode))
        rule.allowed &= READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEV;
    if (syscall(SYS_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0)
        result = -errno;
    close(rule.parent);
    return result;
}

/* The driver's device, and the settings of IPv6 for each interface. For a folder that nobody has
 * open, procfs makes another one at any time, which the rule is not for: it is held. */
static int allow_taps(int ruleset, uint64_t known, int *ret_held)
{
    static const char conf[] = "/proc/sys/net/ipv6/conf";
    int result = allow(ruleset, "/dev/net/tun", (READ_FILE | WRITE_FILE | IOCTL_DEV) & known);

    *ret_held = open(conf, O_PATH | O_CLOEXEC);
    return result < 0 || *ret_held < 0 ? result : allow(ruleset, conf, WRITE_FILE);
}

/* A macvtap's device node is named after its index, and its number is in sysfs. */
static int allow_macvtaps(int ruleset, uint64_t known)
{
    int result = allow(ruleset, "/dev", (READ_FILE | WRITE_FILE | IOCTL_DEV) & known);

    return result < 0 ? result : allow(ruleset, "/sys/devices/virtual/net", READ_FILE);
}

static int allow_needs(int ruleset, const struct sandbox_needs *needs, uint64_t known,
                       int *ret_held)
{
    /* Where standard streams of a service without a terminal lead. */
    int result = allow(ruleset, "/dev/null", READ_FILE | WRITE_FILE);

    for (size_t i = 0; i < needs->readable_count && result == 0; i++)
        result = allow(ruleset, needs->readable[i], FOLDER_READ);
    if (needs->writable && result == 0)
        result = allow(ruleset, needs->writable, FOLDER_WRITE & known);
    if (needs->removable && result == 0)
        result = allow(ruleset, needs->removable, REMOVE_FILE);
    if (needs->taps && result == 0)
        result = allow_taps(ruleset, known, ret_held);
    if (needs->uplinks && result == 0)
        result = allow_macvtaps(ruleset, known);
    return result;
}

/* 0 or less: there is none. */
static int find_abi(unsigned without)
{
    int abi = (int)syscall(SYS_CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);

    if (without & FENCE_LANDLOCK)
        return -EOPNOTSUPP;
    if (without & FENCE_SCOPES && abi > LANDLOCK_SCOPES - 1)
        return LANDLOCK_SCOPES - 1;
    return abi < 0 ? -errno : abi == 0 ? -ENOSYS : abi;
}

int landlock_confine(const struct sandbox_needs *needs, int *ret_held)
{
    int abi = find_abi(needs->without);

    *ret_held = -1;
    if (abi < 1)
        return abi;

    struct ruleset denied = deny_all(abi, needs->abstract_sockets);
    int ruleset = (int)syscall(SYS_CREATE_RULESET, &denied, ruleset_size(abi), 0);
    int result;

    if (ruleset < 0)
        return -errno;
    result = allow_needs(ruleset, needs, denied.files, ret_held);
    if (result == 0 && syscall(SYS_RESTRICT_SELF, ruleset, 0) < 0)
        result = -errno;
    close(ruleset);
    return result < 0 ? result : abi;
}
