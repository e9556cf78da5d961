/* Prints how many milliseconds the kernel alone takes for so many routes: the median of some turns
 * of bare setsockopt calls.
 *
 * usage: floor IIF OIF COUNT   (in the network namespace of these interfaces) */
#include "bare.h"
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 5 };

int main(int argc, char **argv)
{
    double times[ROUNDS];

    if (argc != 4)
        return 2;
    for (int i = 0; i < ROUNDS; i++)
        times[i] = bare_add(argv[1], argv[2], (unsigned)atoi(argv[3]));
    printf("%.1f\n", bench_median(times, ROUNDS) / 1000);
    return 0;
}
