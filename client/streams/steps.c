#include "steps.h"

#define SECOND INT64_C(1000000000)

enum { LEAST_NS = 10000000, APART_NS = 1000000 };

int64_t steps_take(struct steps *steps, const struct steps_reading *reading)
{
    uint64_t way = reading->wall - reading->before;
    int64_t step = (int64_t)(way - steps->way);

    if (reading->after - reading->before > APART_NS)
        return 0;
    if (steps->is_known && step > -LEAST_NS && step < LEAST_NS)
        return 0;
    if (!steps->is_known)
        step = 0;
    steps->way = way;
    steps->is_known = true;
    return step;
}

uint64_t steps_move(uint64_t second, int64_t step)
{
    int64_t seconds = step / SECOND, rest = step % SECOND;

    seconds += (rest >= SECOND / 2) - (rest < -SECOND / 2);
    if (seconds < 0 && second < (uint64_t)-seconds * (uint64_t)SECOND)
        return 0;
    return second + (uint64_t)seconds * (uint64_t)SECOND;
}
