#include "stream.h"

#include "clock.h"
#include "contents.h"
#include "recording_files.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)

enum {
    RESTARTS_MAX = 8,     /* refused segments until the stream is given up */
    LEAD_PARTS = 100,     /* of a second: from now to where a refused segment is tried again */
    RING_BYTES = 1 << 19, /* half a second at 14,400 Hz; ten streams fit into a user's share */
};

const char *stream_status_word(enum stream_status status)
{
    static const char *const words[] = {"created", "running",   "waiting",
                                        "stopped", "completed", "failed"};

    return words[status];
}

/* --- Samples ------------------------------------------------------------------------------- */

static void take_samples(void *context, uint64_t number, int32_t *values, uint32_t *qualities)
{
    struct stream *stream = context;
    uint64_t since = number > stream->origin ? number - stream->origin : 0;

    memcpy(qualities, stream->qualities, sizeof stream->qualities);
    if (stream->recording.points)
        recording_sample(&stream->recording, stream->spec.rate,
                         stream->spec.loops ? stream->pass : 0, since, values, qualities);
    else
        waveform_sample(stream->waveform, number, values);
}

uint64_t stream_sample_at(const struct stream *stream, uint64_t ns)
{
    return sv_sample_at(stream->spec.rate, ns);
}

/* --- Life ---------------------------------------------------------------------------------- */

static uint8_t synch_of_clock(void)
{
    struct clock_state clock = clock_look();

    return sv_frames_synch_of(&clock);
}

void stream_look_at_clock(struct stream *stream)
{
    uint8_t synch = stream->spec.synch == SPEC_SYNCH_AUTO ? synch_of_clock() : stream->synch;

    if (synch == stream->synch || !stream->inject || nb_inject_synch(stream->inject, synch) <= 0)
        return;
    stream->synch = synch;
    nb_inject_publish(stream->inject);
}

static bool make_frames(struct stream *stream, const uint8_t *own, struct spec_error *error)
{
    const struct spec_stream *spec = &stream->spec;
    struct iec_frame header = {.tags = spec->is_tagged, .app_id = spec->app_id};
    struct sv_asdu asdu = {
        .sv_id = {spec->sv_id, strlen(spec->sv_id)},
        .conf_rev = spec->conf_rev,
    };

    stream->synch = spec->synch == SPEC_SYNCH_AUTO ? synch_of_clock() : (uint8_t)spec->synch;
    asdu.smp_synch = stream->synch;

    if (spec->dat_set[0])
        asdu.dat_set = (struct iec_text){spec->dat_set, strlen(spec->dat_set)};
    memcpy(header.destination, spec->destination, sizeof header.destination);
    memcpy(header.source, spec->has_source ? spec->source : own, sizeof header.source);
    header.tag[0].tpid = FRAME_8021Q;
    header.tag[0].tci = (uint16_t)(spec->priority << 13 | spec->vlan);
    header.reserved1 = spec->is_simulated ? IEC_SIMULATED : 0;
    stream->frames =
        (struct sv_frames){.rate = spec->rate, .asdus = spec->asdus, .channels = SPEC_CHANNELS};
    if (sv_frames_begin(&stream->frames, &header, &asdu))
        return true;
    snprintf(error->text, sizeof error->text,
             "a frame with %u samples is longer than Ethernet has them: fewer asdus or a shorter "
             "svId would be right",
             spec->asdus);
    return false;
}

static bool no_memory(struct spec_error *error)
{
    snprintf(error->text, sizeof error->text, "there is no memory");
    return false;
}

static bool take_recording(struct stream *stream, struct spec_error *error)
{
    static const struct recording_words words = {"file", "fileChannels", &spec_layout};
    const struct spec_stream *spec = &stream->spec;
    struct recording_fault fault;

    if (!recording_files_read(spec->file, spec->file_channels[0] ? spec->file_channels : NULL,
                              &words, &stream->recording, &fault)) {
        if (fault.file[0])
            snprintf(error->text, sizeof error->text, "%.200s, line %u: %.200s", fault.file,
                     fault.line, fault.text);
        else
            snprintf(error->text, sizeof error->text, "%.500s", fault.text);
        return false;
    }
    stream->pass = spec->loops
                       ? recording_close(&stream->recording)
                       : recording_length(&stream->recording) + (double)SECOND / stream->spec.rate;
    return stream->pass > 0 || no_memory(error);
}

/* Frames that are left out or sent twice are parts of segments that are not repeated. */
static void choose_period(struct stream *stream)
{
    const struct spec_stream *spec = &stream->spec;

    stream->period = spec->flaws.is_given || spec->file[0]
                         ? 0
                         : tables_period(spec->rate, spec->asdus, spec->microhertz);
}

static bool take_source(struct stream *stream, struct spec_error *error)
{
    const struct spec_stream *spec = &stream->spec;

    stream->end = TABLES_NEVER;
    stream->channels = spec->channels;
    for (unsigned i = 0; i < SPEC_CHANNELS; i++)
        stream->qualities[i] = spec->channels.channel[i].quality;
    if (spec->file[0])
        return take_recording(stream, error);
    stream->waveform = calloc(1, sizeof *stream->waveform);
    if (!stream->waveform)
        return no_memory(error);
    stream->waveform->rate = spec->rate;
    stream->waveform->microhertz = spec->microhertz;
    choose_period(stream);
    spec_waveform(&spec->channels, stream->waveform);
    return true;
}

struct stream *stream_new(const char *id, const struct spec_stream *spec, const uint8_t *own,
                          struct spec_error *error)
{
    struct stream *stream = calloc(1, sizeof *stream);

    if (!stream) {
        no_memory(error);
        return NULL;
    }
    snprintf(stream->id, sizeof stream->id, "%s", id);
    stream->spec = *spec;
    if (make_frames(stream, own, error) && take_source(stream, error) &&
        spec_flaws_make(&spec->flaws, spec->rate, spec->asdus, &stream->flaws, error))
        return stream;
    stream_free(stream);
    return NULL;
}

void stream_free(struct stream *stream)
{
    stream_close(stream);
    recording_clear(&stream->recording);
    free(stream->waveform);
    free(stream);
}

void stream_fail(struct stream *stream, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(stream->reason, sizeof stream->reason, format, arguments);
    va_end(arguments);
    stream->status = STREAM_FAILED;
}

/* --- Playing ------------------------------------------------------------------------------- */

void stream_fill_request(const struct stream *stream, struct nb_request *request)
{
    const struct spec_stream *spec = &stream->spec;
    char text[MAC_TEXT];

    nb_request_add_string(request, "ethertypes", "sv");
    if (spec->has_source)
        nb_request_add_string(request, "sources", mac_text(mac_number(spec->source), text));
    nb_request_add_string(request, "destinations", mac_text(mac_number(spec->destination), text));
    snprintf(text, sizeof text, "%u", spec->vlan);
    nb_request_add_string(request, "vlans", spec->is_tagged ? text : "none");
    nb_request_set_integer(request, "rate",
                           (int64_t)(spec->rate / spec->asdus) * (spec->flaws.has_twice ? 2 : 1));
    nb_request_set_integer(request, "buffer", RING_BYTES);
    nb_request_set_bool(request, "template", true);
    nb_request_set_integer(request, "tables",
                           (int64_t)player_table_bytes(&stream->frames, stream->period));
}

/* A recording begins with the stream, and ends it, unless it is repeated. One that went on while
 * the service was started again has begun already. */
static void place_recording(struct stream *stream, uint64_t begin)
{
    uint64_t samples;

    if (!stream->recording.points || stream->status == STREAM_WAITING)
        return;
    stream->origin = begin;
    if (stream->spec.loops)
        return;
    samples = (uint64_t)(stream->pass / (double)SECOND * stream->spec.rate + 1e-6);
    stream->end = begin + (samples / stream->spec.asdus + !samples) * stream->spec.asdus;
}

int stream_play(struct stream *stream, struct nb_inject *inject, int64_t number, uint64_t begin)
{
    const struct sv_samples source = {stream, take_samples};
    int result;

    if (stream->status == STREAM_WAITING)
        stream->past = stream->account;
    else
        stream->past = (struct stream_account){.starved = 0};
    sv_frames_synch(&stream->frames, stream->synch);
    stream->inject = inject;
    stream->number = number;
    result = player_begin(&stream->player, inject, &stream->frames, &source, stream->period);
    if (result < 0)
        return result;
    stream->begin = player_change(&stream->player, begin < stream->since ? stream->since : begin);
    place_recording(stream, stream->begin);
    if (stream->status != STREAM_WAITING)
        stream->spoilt = stream->begin;
    player_spoil(&stream->player, &stream->flaws, stream->spoilt);
    if (stream->end != TABLES_NEVER)
        player_end(&stream->player, stream->end);
    stream->status = STREAM_RUNNING;
    stream->reason[0] = '\0';
    stream->restarts = 0;
    stream->is_mute = false;
    return 0;
}

uint32_t stream_samples_ahead(const struct stream *stream)
{
    return stream->period ? stream->period : stream->player.tables.chunk;
}

uint64_t stream_set(struct stream *stream, const struct spec_channels *channels, uint64_t begin)
{
    for (unsigned i = 0; i < SPEC_CHANNELS; i++)
        stream->qualities[i] = channels->channel[i].quality;
    if (stream->waveform)
        spec_waveform(channels, stream->waveform);
    stream->since = stream_is_on(stream) ? begin : 0;
    return stream->inject
               ? player_change(&stream->player, begin < stream->begin ? stream->begin : begin)
               : begin;
}

bool stream_judge_flaws(const struct stream *stream, const struct spec_flaws *given,
                        struct sv_flaws *ret, struct spec_error *error)
{
    const struct spec_stream *spec = &stream->spec;

    if (!stream_is_on(stream) ||
        (spec->flaws.is_given && spec->flaws.has_twice >= given->has_twice))
        return spec_flaws_make(given, spec->rate, spec->asdus, ret, error);
    snprintf(error->text, sizeof error->text,
             "the stream '%s' was started without '%s': \"stop\" it before, or \"create\" it with "
             "an empty list of them",
             stream->id, given->has_twice ? "duplicate" : "drop");
    return false;
}

void stream_spoil(struct stream *stream, const struct spec_flaws *given,
                  const struct sv_flaws *flaws, uint64_t begin)
{
    bool has_twice = stream->spec.flaws.has_twice;

    stream->flaws = *flaws;
    stream->spoilt = begin;
    stream->spec.flaws = *given;
    if (stream->inject)
        player_spoil(&stream->player, flaws, begin);
    if (stream_is_on(stream))
        stream->spec.flaws.has_twice |= has_twice; /* as it was asked for */
    else
        choose_period(stream);
}

/* Not before what is played has begun. */
static void again(struct stream *stream, uint64_t now)
{
    uint64_t begin = now + stream->spec.rate / LEAD_PARTS;

    player_change(&stream->player, begin < stream->since ? stream->since : begin);
}

/* A segment that the service did not take would be silence: another one follows at once. What the
 * frames themselves are refused for comes again with each, and is counted. */
static void take_refusals(struct stream *stream, uint64_t now)
{
    struct nb_inject_refusal refusal;

    while (nb_inject_next_refusal(stream->inject, &refusal) > 0) {
        const char *why = nb_inject_reason_meaning(refusal.reason);

        if (refusal.record == NB_INJECT_TEMPLATE)
            stream_fail(stream, "the service does not take its template: %s", why);
        else if (refusal.record == NB_INJECT_SAMPLES || refusal.record == NB_INJECT_PLAY) {
            if (refusal.record == NB_INJECT_PLAY)
                player_refused(&stream->player);
            if (++stream->restarts > RESTARTS_MAX)
                stream_fail(stream, "the service does not take what it plays: %s", why);
            else
                again(stream, now);
        }
    }
}

static void add_past(const struct stream_account *past, struct stream_account *account)
{
    account->counts.judged += past->counts.judged;
    account->counts.sent += past->counts.sent;
    account->counts.sent_bytes += past->counts.sent_bytes;
    account->counts.untold += past->counts.untold;
    for (unsigned i = 0; i < NB_INJECT_REASONS; i++)
        account->counts.refused[i] += past->counts.refused[i];
    account->timing.late += past->timing.late;
    account->timing.stalls += past->timing.stalls;
    account->timing.stalled_ns += past->timing.stalled_ns;
    if (account->timing.latest < past->timing.latest)
        account->timing.latest = past->timing.latest;
    for (unsigned i = 0; i < NB_INJECT_BUCKETS; i++)
        account->timing.histogram[i] += past->timing.histogram[i];
    account->starved += past->starved;
    account->dropped += past->dropped;
}

void stream_look(struct stream *stream)
{
    struct stream_account *account = &stream->account;

    if (!stream->inject)
        return;
    nb_inject_counts(stream->inject, &account->counts);
    nb_inject_timing(stream->inject, &account->timing);
    account->starved = nb_inject_starved(stream->inject);
    account->dropped = nb_inject_dropped(stream->inject);
    add_past(&stream->past, account);
}

/* Writing alone would not tell: a stream that is endless writes nothing. The service says that it
 * ended a stream before it hangs up. */
static bool has_ended(struct stream *stream)
{
    struct pollfd bell = {.fd = nb_inject_fd(stream->inject)};

    stream->is_mute = poll(&bell, 1, 0) > 0;
    nb_inject_wait(stream->inject, UINT32_MAX); /* looks for it */
    return nb_inject_end(stream->inject)[0] != '\0';
}

bool stream_run(struct stream *stream, uint64_t now)
{
    bool is_over;
    int result;

    if (stream->status != STREAM_RUNNING)
        return true;
    is_over = has_ended(stream);
    take_refusals(stream, now); /* those that come now ring */
    if (stream->status == STREAM_FAILED)
        return false;
    result = is_over ? -ENODATA : player_feed(&stream->player, now);
    if (result < 0) {
        const char *why = nb_inject_end(stream->inject);

        stream_fail(stream, "the service has ended it: %s", why[0] ? why : strerror(-result));
        return false;
    }
    if (nb_inject_next(stream->inject) < stream->end || now < stream->end)
        return true;
    stream->status = STREAM_COMPLETED;
    return false;
}

void stream_close(struct stream *stream)
{
    if (!stream->inject)
        return;
    stream_look(stream);
    player_clear(&stream->player);
    nb_inject_close(stream->inject);
    stream->inject = NULL;
}
