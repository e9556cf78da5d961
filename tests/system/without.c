/* without NUMBER COMMAND...: runs the command as if the kernel had not the system call of this
 * number (ENOSYS), with seccomp(2), whose filters are inherited. */
#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

    if (argc < 3 || !filter ||
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), atoi(argv[1]), 0) < 0 ||
        seccomp_load(filter) < 0)
        return 126;
    execv(argv[2], argv + 2);
    return 127;
}
