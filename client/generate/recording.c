#include "recording.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NODES = 4, POINTS_FIRST = 1024 };

static bool wrong(struct comtrade_fault *fault, unsigned line, const char *why)
{
    *fault = (struct comtrade_fault){line, why};
    return false;
}

static bool grow(struct recording *recording, uint64_t *room)
{
    struct recording_point *points;

    if (recording->count < *room)
        return true;
    *room = *room ? 2 * *room : POINTS_FIRST;
    points = realloc(recording->points, *room * sizeof *points);
    if (points)
        recording->points = points;
    return points != NULL;
}

/* Times go on: between two of one time there is nothing to be computed. */
static bool take(struct recording *recording, const struct comtrade_sample *sample)
{
    struct recording_point *point = &recording->points[recording->count];

    if (recording->count && !(sample->time > point[-1].time))
        return false;
    point->time = sample->time;
    for (unsigned i = 0; i < RECORDING_CHANNELS; i++) {
        const struct recording_channel *channel = &recording->channels[i];

        point->values[i] = channel->is_used ? sample->analog[channel->analog] * channel->scale : 0;
    }
    recording->count++;
    return true;
}

bool recording_read(struct recording *recording, const struct comtrade *cfg, const void *data,
                    size_t n, struct comtrade_fault *fault)
{
    static struct comtrade_sample sample; /* it is large */
    struct comtrade_reader reader;
    enum comtrade_next next;
    uint64_t room = 0;

    comtrade_begin(&reader, cfg, data, n);
    while ((next = comtrade_next(&reader, &sample)) == COMTRADE_SAMPLE) {
        if (recording->count == RECORDING_SAMPLES_MAX)
            return wrong(fault, reader.line, "there are more than 4000000 samples");
        if (!grow(recording, &room))
            return wrong(fault, reader.line, NULL);
        if (!take(recording, &sample))
            return wrong(fault, reader.line, "the time does not go on from the sample before");
    }
    *fault = reader.fault;
    if (next == COMTRADE_BROKEN)
        return false;
    return recording->count >= NODES || wrong(fault, reader.line, "there are fewer than 4 samples");
}

/* The last point that is not behind the time. */
static uint64_t find(const struct recording *recording, double time)
{
    uint64_t low = 0, high = recording->count;

    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;

        if (recording->points[middle].time <= time)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static uint64_t look_near(struct recording *recording, double time)
{
    const struct recording_point *points = recording->points;
    uint64_t at = recording->near;

    if (!(points[at].time <= time && (at + 2 >= recording->count || time < points[at + 2].time)))
        at = find(recording, time);
    else if (at + 1 < recording->count && points[at + 1].time <= time)
        at++;
    return recording->near = at;
}

/* What each of the four points weighs (Lagrange). */
static void weigh(const struct recording_point *points, double time, double weights[NODES])
{
    for (unsigned i = 0; i < NODES; i++) {
        weights[i] = 1;
        for (unsigned j = 0; j < NODES; j++)
            if (i != j)
                weights[i] *= (time - points[j].time) / (points[i].time - points[j].time);
    }
}

void recording_at(struct recording *recording, double time, double values[RECORDING_CHANNELS])
{
    double last = recording_length(recording), weights[NODES];
    const struct recording_point *points;
    uint64_t at;

    time = time > last ? last : time;
    at = look_near(recording, time);
    at = at ? at - 1 : 0;
    if (at > recording->count - NODES)
        at = recording->count - NODES;
    points = &recording->points[at];
    weigh(points, time, weights);
    for (unsigned i = 0; i < RECORDING_CHANNELS; i++) {
        values[i] = 0;
        for (unsigned j = 0; j < NODES; j++)
            values[i] += weights[j] * points[j].values[i];
    }
}

double recording_length(const struct recording *recording)
{
    return recording->points[recording->count - 1].time;
}

double recording_close(struct recording *recording)
{
    uint64_t count = recording->count;
    struct recording_point *points =
        realloc(recording->points, (count + NODES) * sizeof *recording->points);
    double period;

    if (!points)
        return 0;
    period = 2 * points[count - 1].time - points[count - 2].time;
    for (unsigned i = 0; i < NODES; i++) {
        points[count + i] = points[i];
        points[count + i].time += period;
    }
    recording->points = points;
    recording->count += NODES;
    return period;
}

void recording_clear(struct recording *recording)
{
    free(recording->points);
    *recording = (struct recording){.points = NULL};
}
