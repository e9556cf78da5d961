/* Streams keep to the time of day. Where that is set while they run, their time base goes with it
 * by whole seconds, and they begin again: the service does not send what has its time twice, and
 * would be silent until a clock that was set back is there once more. */
#include "engine_parts.h"

#include <stdio.h>
#include <time.h>

static uint64_t monotonic(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * ENGINE_SECOND + (uint64_t)now.tv_nsec;
}

static int64_t take_step(struct streams_engine *engine)
{
    struct steps_reading reading;

    reading.before = monotonic();
    reading.wall = clock_now();
    reading.after = monotonic();
    return steps_take(&engine->steps, &reading);
}

void engine_look_at_clock(struct streams_engine *engine)
{
    int64_t step = take_step(engine);
    char why[64];

    if (step == 0)
        return;
    snprintf(why, sizeof why, "the system's clock was set by %.3f s",
             (double)step / (double)ENGINE_SECOND);
    engine->start = steps_move(engine->start, step);
    engine->told += (uint64_t)step;
    engine->gone += (uint64_t)step;
    engine->retried += (uint64_t)step;
    engine_say_step(engine, step);
    engine_cut_for_clock(engine, why);
    engine_begin_again(engine, why);
}
