/* What the benchmarks share: a clock, medians, plain connections, and the words they print. */
#ifndef NB_BENCH_H
#define NB_BENCH_H

#include <stddef.h>
#include <sys/types.h>

/* Microseconds of a clock that only goes forward. */
double bench_now(void);

/* The median of n values, which are sorted. */
double bench_median(double *values, size_t n);

/* The value that the share q of the n values does not exceed; they are sorted. */
double bench_quantile(double *values, size_t n, double q);

/* Prints what was measured, the bare work beside it, and their ratio against the target. */
void bench_print(const char *what, double ours, double bare, const char *unit, double target);

/* Prints what was measured against its target: the most, or with AT_LEAST the least, it may be. */
enum bench_bound { AT_MOST, AT_LEAST };
void bench_judge(const char *what, double figure, const char *unit, enum bench_bound bound,
                 double target);

/* Connects to the service that NETBROKER_SOCKET names, or ends the program. */
int bench_connect(void);

/* The same; -1 where it fails or nobody takes the connection. Closes nothing. */
int bench_try_connect(const char *path);

/* Sends a request and reads its whole reply, without the newline; the caller frees it. NULL when
 * the connection ended before. */
char *bench_try_ask(int fd, const char *request);

/* The same; ends the program when there is no reply, or one that is no success. */
char *bench_ask(int fd, const char *request);

/* The number behind `key` in the text of a reply, e.g. "\"connections\":". */
double bench_number(const char *reply, const char *key);

/* The broker's process, and its memory that no file backs, in bytes. */
pid_t bench_broker(int fd);
double bench_memory(pid_t pid);

/* n zeroed elements, the caller's to free; ends the program where there is no memory. */
void *bench_array(size_t n, size_t size);

/* Ends the program when ok is false, saying what failed and errno. */
void bench_require(int ok, const char *what);

#endif
