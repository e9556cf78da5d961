#include "bench.h"

#include "netbroker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

double bench_now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double bench_median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, compare);
    return values[n / 2];
}

double bench_quantile(double *values, size_t n, double q)
{
    qsort(values, n, sizeof *values, compare);
    return values[(size_t)((double)(n - 1) * q)];
}

void bench_print(const char *what, double ours, double bare, const char *unit, double target)
{
    double ratio = ours / bare;

    printf("%-44s %10.2f %10.2f %-9s %5.2f  %s %.1f\n", what, ours, bare, unit, ratio,
           ratio <= target ? "within" : "MISSES", target);
    fflush(stdout);
}

void bench_judge(const char *what, double figure, const char *unit, enum bench_bound bound,
                 double target)
{
    int within = bound == AT_MOST ? figure <= target : figure >= target;

    printf("%-76s %9.2f %-8s %s %s %g\n", what, figure, unit, within ? "within" : "MISSES",
           bound == AT_MOST ? "<=" : ">=", target);
    fflush(stdout);
}

void bench_require(int ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    exit(1);
}

void *bench_array(size_t n, size_t size)
{
    void *array = calloc(n, size);

    bench_require(array != NULL, "memory");
    return array;
}

/* --- A plain connection ---------------------------------------------------------------------- */

int bench_try_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    bench_require(fd >= 0, "socket");
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

int bench_connect(void)
{
    int fd = bench_try_connect(nb_socket_path(NULL));

    bench_require(fd >= 0, "connect");
    return fd;
}

static char *read_line(int fd)
{
    size_t capacity = 4096, length = 0;
    char *text = malloc(capacity);
    ssize_t more = 1;

    while (text && more > 0) {
        if (length > 0 && text[length - 1] == '\n') {
            text[length - 1] = '\0';
            return text;
        }
        if (length == capacity)
            text = realloc(text, capacity *= 2);
        if (text && (more = read(fd, text + length, capacity - length)) > 0)
            length += (size_t)more;
    }
    free(text);
    return NULL;
}

char *bench_try_ask(int fd, const char *request)
{
    size_t length = strlen(request);

    if (send(fd, request, length, MSG_NOSIGNAL) != (ssize_t)length)
        return NULL;
    return read_line(fd);
}

char *bench_ask(int fd, const char *request)
{
    char *reply = bench_try_ask(fd, request);

    bench_require(reply != NULL, request);
    if (strncmp(reply, "{\"status\":\"success\"", 19) == 0)
        return reply;
    fprintf(stderr, "%s\n", reply);
    exit(1);
}

double bench_number(const char *reply, const char *key)
{
    const char *found = strstr(reply, key);

    bench_require(found != NULL, key);
    return strtod(found + strlen(key), NULL);
}

pid_t bench_broker(int fd)
{
    char *reply = bench_ask(fd, "{\"action\":\"STATUS\"}");
    pid_t pid = (pid_t)bench_number(reply, "\"broker\":{\"pid\":");

    free(reply);
    return pid;
}

double bench_memory(pid_t pid)
{
    char path[64], line[256];
    double kilobytes = 0;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);

    FILE *file = fopen(path, "re");

    bench_require(file != NULL, path);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "RssAnon: %lf", &kilobytes) == 1)
            break;
    fclose(file);
    return kilobytes * 1024;
}
