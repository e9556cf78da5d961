/* What the benchmarks share: a clock, medians, and the words they print. */
#ifndef NB_BENCH_H
#define NB_BENCH_H

#include <stddef.h>

/* Microseconds of a clock that only goes forward. */
double bench_now(void);

/* The median of n values, which are sorted. */
double bench_median(double *values, size_t n);

/* Prints what was measured, the bare work beside it, and their ratio against the target. */
void bench_print(const char *what, double ours, double bare, const char *unit, double target);

/* Ends the program when ok is false, saying what failed and errno. */
void bench_require(int ok, const char *what);

#endif
