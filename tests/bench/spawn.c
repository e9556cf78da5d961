/* A command as a whole process, beside /bin/true, in turns.
 *
 * usage: spawn LABEL COUNT COMMAND...   "%G" in an argument becomes another group each time */
#include "bench.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { ARGUMENTS_MAX = 32 };

static double run(char **arguments, posix_spawn_file_actions_t *quiet)
{
    double start = bench_now();
    int status;
    pid_t pid;

    bench_require(posix_spawn(&pid, arguments[0], quiet, NULL, arguments, environ) == 0, "spawn");
    waitpid(pid, &status, 0);
    bench_require(status == 0, arguments[0]);
    return bench_now() - start;
}

int main(int argc, char **argv)
{
    char *command[ARGUMENTS_MAX + 1] = {NULL}, *nothing[] = {(char *)"/bin/true", NULL};
    posix_spawn_file_actions_t quiet;
    char group[32];

    if (argc < 4 || argc - 3 > ARGUMENTS_MAX)
        return 2;

    size_t count = (size_t)atoi(argv[2]);
    double *ours = calloc(2 * count, sizeof *ours), *bare;

    if (!ours)
        return 1;
    bare = ours + count;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    for (size_t i = 0; i < count; i++) {
        snprintf(group, sizeof group, "239.77.%zu.%zu", i / 250, i % 250 + 1);
        for (int k = 3; k < argc; k++)
            command[k - 3] = strcmp(argv[k], "%G") == 0 ? group : argv[k];
        bare[i] = run(nothing, &quiet);
        ours[i] = run(command, &quiet);
    }
    bench_print(argv[1], bench_median(ours, count) / 1000, bench_median(bare, count) / 1000, "ms",
                1.5);
    free(ours);
    return 0;
}
