#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

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

void bench_print(const char *what, double ours, double bare, const char *unit, double target)
{
    double ratio = ours / bare;

    printf("%-44s %10.2f %10.2f %-9s %5.2f  %s %.1f\n", what, ours, bare, unit, ratio,
           ratio <= target ? "within" : "MISSES", target);
    fflush(stdout);
}

void bench_require(int ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    exit(1);
}
