#include "recording.h"

#include "iec61850/sv.h"
#include "waveform.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NODES = 4, POINTS_FIRST = 1024 };

#define NS_PER_SECOND 1e9

static bool wrong(struct comtrade_fault *fault, unsigned line, const char *why)
{
    *fault = (struct comtrade_fault){line, why};
    return false;
}

/* The time of a point; its values stand behind that. */
static double *point_at(const struct recording *recording, uint64_t number)
{
    return recording->points + number * (recording->width + 1);
}

static size_t bytes_of(const struct recording *recording, uint64_t points)
{
    return points * (recording->width + 1) * sizeof *recording->points;
}

static bool grow(struct recording *recording, uint64_t *room)
{
    double *points;

    if (recording->count < *room)
        return true;
    *room = *room ? 2 * *room : POINTS_FIRST;
    points = realloc(recording->points, bytes_of(recording, *room));
    if (points)
        recording->points = points;
    return points != NULL;
}

/* Times go on: between two of one time there is nothing to be computed. */
static bool take(struct recording *recording, const struct comtrade_sample *sample)
{
    double *point = point_at(recording, recording->count);

    if (recording->count && !(sample->time > *point_at(recording, recording->count - 1)))
        return false;
    *point++ = sample->time;
    for (unsigned i = 0; i < recording->width; i++) {
        const struct recording_channel *channel = &recording->channels[i];

        point[i] = channel->is_used ? sample->analog[channel->analog] * channel->scale : 0;
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
        if (recording->count == RECORDING_SAMPLES_MAX ||
            recording->count * (recording->width + 1) >= RECORDING_VALUES_MAX)
            return wrong(fault, reader.line, "there are more than 4000000 samples of 8 channels");
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

        if (*point_at(recording, middle) <= time)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static uint64_t look_near(struct recording *recording, double time)
{
    uint64_t at = recording->near;

    if (!(*point_at(recording, at) <= time &&
          (at + 2 >= recording->count || time < *point_at(recording, at + 2))))
        at = find(recording, time);
    else if (at + 1 < recording->count && *point_at(recording, at + 1) <= time)
        at++;
    return recording->near = at;
}

/* What each of the four points weighs (Lagrange). */
static void weigh(const double *const points[NODES], double time, double weights[NODES])
{
    for (unsigned i = 0; i < NODES; i++) {
        weights[i] = 1;
        for (unsigned j = 0; j < NODES; j++)
            if (i != j)
                weights[i] *= (time - *points[j]) / (*points[i] - *points[j]);
    }
}

void recording_at(struct recording *recording, double time, double values[RECORDING_CHANNELS])
{
    double last = recording_length(recording), weights[NODES];
    const double *points[NODES];
    uint64_t at;

    time = time > last ? last : time;
    at = look_near(recording, time);
    at = at ? at - 1 : 0;
    if (at > recording->count - NODES)
        at = recording->count - NODES;
    for (unsigned i = 0; i < NODES; i++)
        points[i] = point_at(recording, at + i);
    weigh(points, time, weights);
    for (unsigned i = 0; i < recording->width; i++) {
        values[i] = 0;
        for (unsigned j = 0; j < NODES; j++)
            values[i] += weights[j] * points[j][1 + i];
    }
}

void recording_sample(struct recording *recording, uint32_t rate, double period, uint64_t number,
                      int32_t *values, uint32_t *qualities)
{
    uint64_t second = number / rate, rest = number % rate;
    double time = (double)second * NS_PER_SECOND + (double)rest * NS_PER_SECOND / rate;
    double found[RECORDING_CHANNELS];

    recording_at(recording, period > 0 ? fmod(time, period) : time, found);
    for (unsigned i = 0; i < recording->width; i++) {
        bool has_none = isnan(found[i]);

        values[i] = has_none ? 0 : waveform_round(found[i]);
        if (has_none)
            qualities[i] = (qualities[i] & ~(uint32_t)SV_QUESTIONABLE) | SV_INVALID;
    }
}

double recording_length(const struct recording *recording)
{
    return *point_at(recording, recording->count - 1);
}

double recording_close(struct recording *recording)
{
    uint64_t count = recording->count;
    double *points = realloc(recording->points, bytes_of(recording, count + NODES));
    double period;

    if (!points)
        return 0;
    recording->points = points;
    period = 2 * *point_at(recording, count - 1) - *point_at(recording, count - 2);
    memcpy(point_at(recording, count), points, bytes_of(recording, NODES));
    for (unsigned i = 0; i < NODES; i++)
        *point_at(recording, count + i) += period;
    recording->count += NODES;
    return period;
}

void recording_clear(struct recording *recording)
{
    free(recording->points);
    *recording = (struct recording){.points = NULL};
}
