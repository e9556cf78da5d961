#include "template_ring.h"

#include "platform/realtime.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SECOND UINT64_C(1000000000)

/* --- Life ---------------------------------------------------------------------------------- */

uint64_t template_ring_bytes(uint32_t table_bytes)
{
    return sizeof(struct template_ring) + table_bytes;
}

/* #syscalls broker: mmap munmap */
static bool make_table(struct template_ring *ring, uint32_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if (memory == MAP_FAILED)
        return false;
    ring->table = memory;
    ring->table_bytes = bytes;
    ring->is_locked = realtime_lock(memory, bytes) == 0 && realtime_lock(ring, sizeof *ring) == 0;
    return true;
}

/* Its own pages are not the allocator's, so that locking them locks nothing else. */
static bool map_ring(struct template_ring **ret)
{
    *ret = mmap(NULL, sizeof(struct template_ring), PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    return *ret != MAP_FAILED;
}

struct template_ring *template_ring_make(struct timed *timed, const struct timed_config *config,
                                         uint32_t table_bytes)
{
    struct template_ring *ring;

    if (!map_ring(&ring))
        return NULL;
    if (uv_mutex_init(&ring->mutex) != 0) {
        munmap(ring, sizeof *ring);
        return NULL;
    }
    ring->seat = (struct timed_seat){.timed = timed, .config = *config};
    ring->seat.config.ops = &timed_template_supply;
    ring->seat.config.supply = &ring->template;
    ring->seat.config.judge = timed_template_judge;
    ring->seat.config.whole = true;
    ring->synch = -1;
    if (!make_table(ring, table_bytes)) {
        template_ring_free(ring);
        return NULL;
    }
    timed_template_begin(&ring->template, ring->table, config->late);
    return ring;
}

void template_ring_free(struct template_ring *ring)
{
    if (!ring)
        return;
    if (ring->table)
        munmap(ring->table, ring->table_bytes);
    uv_mutex_destroy(&ring->mutex);
    munmap(ring, sizeof *ring);
}

bool template_ring_join(struct template_ring *ring, int fd, timed_send send, uint64_t now)
{
    rate_begin_deep(&ring->rate, TEMPLATE_COMMANDS_RATE, now);
    return timed_seat_join(&ring->seat, fd, send);
}

bool template_ring_leave(struct template_ring *ring)
{
    return timed_seat_leave(&ring->seat);
}

/* --- Templates ----------------------------------------------------------------------------- */

static bool are_alike(const struct sv_message *message)
{
    for (unsigned i = 1; i < message->asdus; i++)
        if (message->asdu[i].sample_length != message->asdu[0].sample_length)
            return false;
    return message->asdu[0].sample_length > 0;
}

static bool is_shape_right(const struct template_ring *ring, const struct template_shape *shape)
{
    const struct template_shape *own = &ring->shape;

    if (shape->rate == 0 || shape->rate % shape->asdus != 0)
        return false;
    return own->asdus == 0 || (own->asdus == shape->asdus && own->rate == shape->rate &&
                               own->sample_length == shape->sample_length);
}

/* A NUL within becomes a byte that is no UTF-8, as which it is shown. */
static void copy_name(const struct iec_text *name, char *ret)
{
    size_t length = name->length < TEMPLATE_NAME_MAX ? name->length : TEMPLATE_NAME_MAX;

    for (size_t i = 0; i < length; i++)
        ret[i] = (char)(name->bytes[i] ? name->bytes[i] : 0xff);
    ret[length] = '\0';
}

static void show_template(struct template_ring *ring, const struct sv_message *message)
{
    struct template_view *view = &ring->view;

    uv_mutex_lock(&ring->mutex);
    copy_name(&message->asdu[0].sv_id, view->name);
    view->rate = ring->shape.rate;
    view->asdus = ring->shape.asdus;
    if (ring->synch < 0)
        view->synch = message->asdu[0].smp_synch;
    uv_mutex_unlock(&ring->mutex);
}

static enum transmit_refusal_reason take_template(struct template_ring *ring,
                                                  const struct transmit_frame *record,
                                                  const unsigned char *bytes, bool needs_own)
{
    struct sv_message message;
    struct template_shape shape;
    struct template_slot *slot;
    struct iec_fault fault;

    if (record->length > TEMPLATE_BYTES_MAX)
        return TRANSMIT_TOO_LONG;
    if (!sv_decode(bytes, record->length, &message, &fault) || !are_alike(&message) ||
        record->tag > TEMPLATE_RATE_MAX)
        return TRANSMIT_TEMPLATE;
    shape = (struct template_shape){(uint32_t)record->tag, message.asdus,
                                    (uint32_t)message.asdu[0].sample_length};
    if (!is_shape_right(ring, &shape))
        return TRANSMIT_TEMPLATE;
    if (shape.rate / shape.asdus > ring->seat.config.rate)
        return TRANSMIT_RATE;
    slot = timed_template_next_slot(&ring->template);
    slot->shape = ring->shape = shape;
    slot->length = record->length;
    slot->needs_own = needs_own;
    memcpy(slot->bytes, bytes, record->length);
    sv_locate(&message, bytes, slot->places);
    timed_template_put_slot(&ring->template);
    show_template(ring, &message);
    return TRANSMIT_SENT;
}

/* --- Samples ------------------------------------------------------------------------------- */

static uint64_t places_of(const struct template_ring *ring)
{
    return ring->table_bytes / ring->shape.sample_length;
}

/* Whether a segment that is not over has one of these places. */
static bool are_in_use(struct template_ring *ring, uint64_t first, uint64_t count)
{
    ring->played = timed_template_played(&ring->template);
    for (uint64_t i = ring->played; i < ring->put; i++) {
        const struct template_use *use = &ring->uses[i % TEMPLATE_SEGMENTS];

        if (first < (uint64_t)use->first + use->count && use->first < first + count)
            return true;
    }
    return false;
}

static enum transmit_refusal_reason take_samples(struct template_ring *ring,
                                                 const struct transmit_frame *record,
                                                 const unsigned char *bytes)
{
    uint32_t length = ring->shape.sample_length;
    uint64_t count = record->length / length, places = places_of(ring);

    if (count == 0 || record->length % length != 0 || count > places ||
        record->time > places - count || are_in_use(ring, record->time, count))
        return TRANSMIT_TABLE;
    memcpy(ring->table + record->time * length, bytes, record->length);
    return TRANSMIT_SENT;
}

/* --- Segments ------------------------------------------------------------------------------ */

/* The last sample that a segment may begin with. */
static uint64_t last_begin(const struct template_ring *ring)
{
    return TIMED_TIME_MAX / SECOND * ring->shape.rate - ring->shape.rate;
}

static bool is_within_table(const struct template_ring *ring, const struct stream_play *play)
{
    return play->count > 0 && play->count % ring->shape.asdus == 0 &&
           (uint64_t)play->first + play->count <= places_of(ring);
}

/* False: it cannot begin then. */
static bool find_begin(const struct template_ring *ring, uint64_t wanted, uint64_t *ret)
{
    uint64_t begin = wanted == STREAM_BEHIND ? ring->end : wanted;

    if (begin > last_begin(ring) || begin < ring->begin || begin % ring->shape.asdus != 0)
        return false;
    *ret = begin;
    return true;
}

/* A very long one has no end. */
static uint64_t end_of(const struct stream_play *play, uint64_t begin)
{
    uint64_t samples = (uint64_t)play->count * play->repeats;

    if (samples == 0 || samples > TIMED_TIME_MAX)
        return UINT64_MAX;
    return begin + samples;
}

static bool are_too_many(struct template_ring *ring)
{
    ring->played = timed_template_played(&ring->template);
    return ring->put - ring->played >= TEMPLATE_SEGMENTS;
}

static enum transmit_refusal_reason judge_play(struct template_ring *ring,
                                               const struct stream_play *play, uint64_t *ret_begin)
{
    uint64_t frames = ring->shape.rate / ring->shape.asdus;

    if (play->how >= STREAM_HOW_COUNT)
        return TRANSMIT_FLAGS;
    if (!is_within_table(ring, play))
        return TRANSMIT_TABLE;
    if (!find_begin(ring, play->begin, ret_begin))
        return TRANSMIT_TIME;
    if (are_too_many(ring) || (play->how == STREAM_TWICE && 2 * frames > ring->seat.config.rate))
        return TRANSMIT_RATE;
    return TRANSMIT_SENT;
}

static void put(struct template_ring *ring, const struct template_command *command)
{
    timed_template_put(&ring->template, command);
}

static void show_put(struct template_ring *ring)
{
    uv_mutex_lock(&ring->mutex);
    ring->view.put = ring->put;
    uv_mutex_unlock(&ring->mutex);
}

static enum transmit_refusal_reason take_play(struct template_ring *ring,
                                              const struct transmit_frame *record,
                                              const unsigned char *bytes)
{
    enum transmit_refusal_reason reason;
    struct stream_play play;
    uint64_t begin;

    if (record->length != sizeof play)
        return TRANSMIT_FLAGS;
    memcpy(&play, bytes, sizeof play);
    reason = judge_play(ring, &play, &begin);
    if (reason != TRANSMIT_SENT)
        return reason;
    ring->begin = begin;
    ring->end = end_of(&play, begin);
    ring->uses[ring->put++ % TEMPLATE_SEGMENTS] = (struct template_use){play.first, play.count};
    show_put(ring);
    put(ring, &(struct template_command){
                  .act = TEMPLATE_PLAY,
                  .segment = {begin, ring->end, play.first, play.count, (enum stream_how)play.how},
              });
    return TRANSMIT_SENT;
}

static enum transmit_refusal_reason take_stop(struct template_ring *ring,
                                              const struct transmit_frame *record,
                                              const unsigned char *bytes)
{
    (void)bytes;
    if (record->length != 0)
        return TRANSMIT_FLAGS;
    if (record->time > last_begin(ring))
        return TRANSMIT_TIME;
    ring->begin = ring->end = template_round_up(&ring->shape, record->time);
    put(ring, &(struct template_command){.act = TEMPLATE_STOP, .segment = {.begin = ring->begin}});
    return TRANSMIT_SENT;
}

static enum transmit_refusal_reason take_synch(struct template_ring *ring,
                                               const struct transmit_frame *record,
                                               const unsigned char *bytes)
{
    if (record->length != 1)
        return TRANSMIT_FLAGS;
    ring->synch = bytes[0];
    uv_mutex_lock(&ring->mutex);
    ring->view.synch = bytes[0];
    uv_mutex_unlock(&ring->mutex);
    put(ring, &(struct template_command){.act = TEMPLATE_SYNCH, .value = bytes[0]});
    return TRANSMIT_SENT;
}

/* --- Records ------------------------------------------------------------------------------- */

bool template_ring_has_room(struct template_ring *ring, uint64_t now)
{
    return !ring->seat.is_leaving && timed_template_has_room(&ring->template) &&
           rate_frames(&ring->rate, now) > 0;
}

/* What the timed sender hears of costs it a wake-up, and what is refused is work for nothing;
 * samples lie there. */
static void charge(struct template_ring *ring)
{
    rate_take(&ring->rate, ring->rate.level >= RATE_FRAME ? 1 : 0);
}

void template_ring_refused(struct template_ring *ring)
{
    charge(ring);
}

void template_ring_own_changed(struct template_ring *ring)
{
    timed_template_own_changed(&ring->template);
}

enum transmit_refusal_reason template_ring_take(struct template_ring *ring,
                                                const struct transmit_frame *record,
                                                const unsigned char *bytes, bool needs_own)
{
    static enum transmit_refusal_reason (*const takes[STREAM_RECORD_COUNT])(
        struct template_ring * ring, const struct transmit_frame *record,
        const unsigned char *bytes) = {
        [STREAM_SAMPLES] = take_samples,
        [STREAM_PLAY] = take_play,
        [STREAM_STOP] = take_stop,
        [STREAM_SYNCH] = take_synch,
    };
    enum transmit_refusal_reason reason;

    if (ring->shape.asdus == 0 && record->record != STREAM_TEMPLATE)
        return TRANSMIT_TEMPLATE;
    reason = record->record == STREAM_TEMPLATE ? take_template(ring, record, bytes, needs_own)
                                               : takes[record->record](ring, record, bytes);
    if (reason != TRANSMIT_SENT || record->record == STREAM_SAMPLES)
        return reason;
    charge(ring);
    ring->has_news = true;
    return TRANSMIT_SENT;
}

void template_ring_publish(struct template_ring *ring)
{
    if (ring->has_news && ring->seat.stream)
        timed_change(ring->seat.timed, ring->seat.stream);
    ring->has_news = false;
}

/* --- What became of frames ----------------------------------------------------------------- */

static uint64_t look(const _Atomic uint64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

/* How much more it is than before. */
static uint64_t more(const _Atomic uint64_t *number, uint64_t *before)
{
    uint64_t now = look(number), grown = now - *before;

    *before = now;
    return grown;
}

static bool settle_frames(struct template_ring *ring, struct transmit_reader *reader)
{
    const struct template_told *told = &ring->template.told;
    struct transmit_made made = {.latest = look(&told->latest)};
    uint64_t judged = reader->counts.judged;

    made.sent = more(&told->sent, &ring->told_sent);
    made.sent_bytes = more(&told->sent_bytes, &ring->told_sent_bytes);
    made.late = more(&told->late, &ring->told_late);
    for (unsigned i = 0; i < TRANSMIT_REASON_COUNT; i++)
        made.refused[i] = more(&told->refused[i], &ring->told_refused[i]);
    for (unsigned i = 0; i < TRANSMIT_BUCKETS; i++)
        made.histogram[i] = more(&told->histogram[i], &ring->told_histogram[i]);
    transmit_reader_made(reader, &made);
    return reader->counts.judged != judged;
}

bool template_ring_settle(struct template_ring *ring, struct transmit_reader *reader)
{
    const struct template_told *told = &ring->template.told;
    struct stream_progress before = ring->progress, *now = &ring->progress;
    bool is_new = settle_frames(ring, reader);

    now->played = timed_template_played(&ring->template);
    now->next = look(&told->next);
    now->starved = look(&told->starved);
    now->dropped = look(&told->dropped);
    transmit_reader_progress(reader, now);
    timed_seat_settle(&ring->seat, reader);
    return is_new || now->played != before.played || now->starved != before.starved ||
           now->dropped != before.dropped;
}

void template_ring_show(struct template_ring *ring, struct template_view *ret)
{
    uv_mutex_lock(&ring->mutex);
    *ret = ring->view;
    uv_mutex_unlock(&ring->mutex);
}
