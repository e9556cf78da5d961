#include "timed_template.h"

#include <string.h>

void timed_template_begin(struct timed_template *template, const unsigned char *table,
                          uint64_t late)
{
    memset(template, 0, sizeof *template);
    template->table = table;
    template->late = late;
    template->synch = -1;
}

/* --- Samples and times --------------------------------------------------------------------- */

/* With its last sample. */
static uint64_t due_of_frame(const struct template_shape *shape, uint64_t sample)
{
    return sv_sample_due(shape->rate, sample + shape->asdus - 1);
}

uint64_t template_round_up(const struct template_shape *shape, uint64_t sample)
{
    uint64_t beyond = sample % shape->asdus;

    return beyond ? sample - beyond + shape->asdus : sample;
}

/* The first sample of the first frame that is due at this moment, or later. */
static uint64_t frame_at(const struct template_shape *shape, uint64_t ns)
{
    uint64_t sample = sv_sample_at(shape->rate, ns);

    if (sv_sample_due(shape->rate, sample) < ns)
        sample++;
    return sample < shape->asdus ? 0 : template_round_up(shape, sample - (shape->asdus - 1));
}

/* --- The writer ---------------------------------------------------------------------------- */

/* That of the slot behind the one that is used next. */
static bool is_slot_free(const struct timed_template *template, uint64_t taken)
{
    return template->slot_at[(template->slots + 1) % TEMPLATE_SLOTS] <= taken;
}

bool timed_template_has_room(const struct timed_template *template)
{
    uint64_t head = atomic_load_explicit(&template->head, memory_order_relaxed);
    uint64_t taken = atomic_load_explicit(&template->taken, memory_order_acquire);

    return head - taken < TEMPLATE_COMMANDS && is_slot_free(template, taken);
}

void timed_template_put(struct timed_template *template, const struct template_command *command)
{
    uint64_t head = atomic_load_explicit(&template->head, memory_order_relaxed);

    template->commands[head % TEMPLATE_COMMANDS] = *command;
    atomic_store_explicit(&template->head, head + 1, memory_order_release);
}

struct template_slot *timed_template_next_slot(struct timed_template *template)
{
    return &template->memory[template->slots % TEMPLATE_SLOTS];
}

void timed_template_put_slot(struct timed_template *template)
{
    uint32_t slot = (uint32_t)(template->slots % TEMPLATE_SLOTS);

    template->memory[slot].number = template->slots++;
    timed_template_put(template, &(struct template_command){.act = TEMPLATE_SLOT, .value = slot});
    template->slot_at[slot] = atomic_load_explicit(&template->head, memory_order_relaxed);
}

void timed_template_own_changed(struct timed_template *template)
{
    atomic_store_explicit(&template->own_from, template->slots, memory_order_release);
}

uint64_t timed_template_played(const struct timed_template *template)
{
    return atomic_load_explicit(&template->told.played, memory_order_acquire);
}

/* --- What is told -------------------------------------------------------------------------- */

static void add(_Atomic uint64_t *number, uint64_t more)
{
    atomic_store_explicit(number, atomic_load_explicit(number, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

static void tell_lateness(struct template_told *told, const struct timed_outcome *outcome)
{
    if (outcome->lateness > atomic_load_explicit(&told->latest, memory_order_relaxed))
        atomic_store_explicit(&told->latest, outcome->lateness, memory_order_relaxed);
    add(&told->histogram[transmit_bucket_of(outcome->lateness)], outcome->sent);
    if (outcome->lateness > TRANSMIT_LATE_NS)
        add(&told->late, outcome->sent);
}

/* --- The timeline -------------------------------------------------------------------------- */

static void cut(struct timed_template *template, uint64_t at)
{
    for (unsigned i = 0; i < template->count; i++)
        if (template->segments[i].end > at)
            template->segments[i].end = at;
}

static void put_synch(struct timed_template *template)
{
    struct template_slot *slot = template->slot;

    if (!slot || template->synch < 0)
        return;
    for (unsigned i = 0; i < slot->shape.asdus; i++)
        slot->bytes[slot->places[i].smp_synch] = (unsigned char)template->synch;
}

static void apply(struct timed_template *template, const struct template_command *command)
{
    switch (command->act) {
    case TEMPLATE_PLAY:
        cut(template, command->segment.begin);
        template->segments[template->count++] = command->segment;
        template->is_stopped = false;
        break;
    case TEMPLATE_STOP:
        cut(template, command->segment.begin);
        template->is_stopped = true;
        break;
    case TEMPLATE_SYNCH:
        template->synch = (int)command->value;
        put_synch(template);
        break;
    case TEMPLATE_SLOT:
        template->slot = &template->memory[command->value];
        put_synch(template);
        break;
    }
}

/* At most as many as there are places: the writer waits for `taken`. */
static void take_commands(struct timed_template *template)
{
    uint64_t taken = atomic_load_explicit(&template->taken, memory_order_relaxed);
    uint64_t head = atomic_load_explicit(&template->head, memory_order_acquire);

    if (taken == head)
        return;
    for (; taken != head; taken++)
        apply(template, &template->commands[taken % TEMPLATE_COMMANDS]);
    atomic_store_explicit(&template->taken, taken, memory_order_release);
}

/* Segments that are over at this sample, and those of which nothing is left. They are over in their
 * order. */
static void drop_segments(struct timed_template *template, uint64_t sample)
{
    unsigned over = 0;

    for (; over < template->count; over++) {
        const struct template_segment *segment = &template->segments[over];

        if (segment->end > sample && segment->end > segment->begin)
            break;
    }
    if (over == 0)
        return;
    template->count -= over;
    memmove(template->segments, template->segments + over,
            template->count * sizeof *template->segments);
    atomic_store_explicit(&template->told.played,
                          atomic_load_explicit(&template->told.played, memory_order_relaxed) + over,
                          memory_order_release);
}

/* The one that the next frame is of, or NULL. Where it begins later, nothing is sent until then. */
static const struct template_segment *find_segment(struct timed_template *template)
{
    drop_segments(template, template->position);
    template->sample = template->position;
    if (template->count == 0)
        return NULL;
    if (template->segments[0].begin > template->sample)
        template->sample = template->segments[0].begin;
    return template->segments;
}

/* --- Frames that are not made in time ------------------------------------------------------ */

static uint64_t frames_within(const struct timed_template *template,
                              const struct template_segment *segment, uint64_t from, uint64_t to)
{
    uint64_t begin = segment->begin > from ? segment->begin : from;
    uint64_t end = segment->end < to ? segment->end : to;

    return begin < end ? (end - begin) / template->slot->shape.asdus : 0;
}

/* The frames before this sample are too late. */
static void skip_to(struct timed_template *template, uint64_t to)
{
    struct template_told *told = &template->told;

    for (unsigned i = 0; i < template->count; i++) {
        const struct template_segment *segment = &template->segments[i];
        uint64_t frames = frames_within(template, segment, template->position, to);

        add(segment->how == STREAM_DROP ? &told->dropped : &told->refused[TRANSMIT_LATE], frames);
    }
    template->position = to;
}

/* A stream that is silent goes on with the frame that is due next, or with the one that waits to be
 * sent: that may be late, as any. */
static void follow(struct timed_template *template, uint64_t passed)
{
    const struct template_shape *shape = &template->slot->shape;
    uint64_t now = frame_at(shape, passed);

    if (template->is_made && template->sample < now &&
        (template->late == 0 || passed - due_of_frame(shape, template->sample) <= template->late))
        now = template->sample;
    if (now > template->position)
        template->position = now;
}

/* One that is not silent was held up: what is later than it may be is left out, at once and however
 * much it is. */
static void catch_up(struct timed_template *template, uint64_t passed)
{
    uint64_t now;

    if (template->late == 0 || passed <= template->late)
        return;
    now = frame_at(&template->slot->shape, passed - template->late);
    if (now > template->position)
        skip_to(template, now);
}

/* --- Frames -------------------------------------------------------------------------------- */

static void put_two(unsigned char *at, uint64_t number)
{
    at[0] = (unsigned char)(number >> 8);
    at[1] = (unsigned char)number;
}

/* Its quality stays that of the template. */
static void put_time(unsigned char *at, uint64_t ns)
{
    unsigned char time[IEC_TIME_BYTES];

    iec_write_time((struct iec_time){.ns = ns, .quality = at[IEC_TIME_BYTES - 1]}, time);
    memcpy(at, time, sizeof time);
}

static void fill(struct timed_template *template, const struct template_segment *segment,
                 uint64_t start)
{
    struct template_slot *slot = template->slot;
    const struct template_shape *shape = &slot->shape;

    for (unsigned i = 0; i < shape->asdus; i++) {
        const struct sv_places *places = &slot->places[i];
        uint64_t sample = template->sample + i;
        uint64_t place = segment->first + (sample - segment->begin) % segment->count;

        put_two(slot->bytes + places->smp_cnt, sample % shape->rate);
        if (places->refr_tm)
            put_time(slot->bytes + places->refr_tm, start + sv_sample_due(shape->rate, sample));
        memcpy(slot->bytes + places->sample, template->table + place * shape->sample_length,
               shape->sample_length);
    }
}

static bool make_frame(struct timed_template *template, const struct template_segment *segment,
                       uint64_t start, struct timed_frame *ret)
{
    static const uint32_t copies[STREAM_HOW_COUNT] = {[STREAM_SEND] = 1, [STREAM_TWICE] = 2};
    struct template_slot *slot = template->slot;

    template->is_marker = false;
    template->copies = copies[segment->how];
    if (template->copies > 0)
        fill(template, segment, start);
    *ret = (struct timed_frame){due_of_frame(&slot->shape, template->sample), slot->length,
                                template->copies, slot->bytes};
    return true;
}

/* Nothing is sent at this moment. Until then a segment may come that begins in time. */
static bool make_marker(struct timed_template *template, struct timed_frame *ret)
{
    template->is_marker = true;
    template->copies = 0;
    *ret = (struct timed_frame){due_of_frame(&template->slot->shape, template->sample),
                                template->slot->length, 0, template->slot->bytes};
    return true;
}

static bool make(struct timed_template *template, const struct timed_moment *moment,
                 struct timed_frame *ret)
{
    const struct template_segment *segment = find_segment(template);

    if (segment)
        return make_frame(template, segment, moment->start, ret);
    if (template->is_running && !template->is_stopped)
        return make_marker(template, ret);
    template->is_running = false;
    return false;
}

static bool next(void *supply, const struct timed_moment *moment, struct timed_frame *ret)
{
    struct timed_template *template = supply;

    take_commands(template);
    if (!template->slot)
        return false;
    if (template->is_running)
        catch_up(template, moment->passed);
    else
        follow(template, moment->passed);
    template->is_made = make(template, moment, ret);
    atomic_store_explicit(&template->told.next, template->sample, memory_order_relaxed);
    return template->is_made;
}

static void count_frame(struct timed_template *template, const struct timed_outcome *outcome)
{
    struct template_told *told = &template->told;

    tell_lateness(told, outcome);
    if (template->copies == 0)
        add(&told->dropped, 1);
    add(&told->sent, outcome->sent);
    add(&told->sent_bytes, (uint64_t)outcome->sent * template->slot->length);
    if (outcome->sent < template->copies)
        add(&told->refused[outcome->reason], template->copies - outcome->sent);
}

static void done(void *supply, const struct timed_outcome *outcome)
{
    struct timed_template *template = supply;

    template->is_made = false;
    template->is_running = !template->is_marker;
    if (template->is_marker) {
        add(&template->told.starved, 1);
        return;
    }
    count_frame(template, outcome);
    template->position = template->sample + template->slot->shape.asdus;
    atomic_store_explicit(&template->told.next, template->position, memory_order_relaxed);
}

enum transmit_refusal_reason timed_template_judge(void *supply)
{
    const struct timed_template *template = supply;
    const struct template_slot *slot = template->slot;
    uint64_t own_from = atomic_load_explicit(&template->own_from, memory_order_acquire);

    return slot->needs_own && slot->number < own_from ? TRANSMIT_SOURCE : TRANSMIT_SENT;
}

const struct timed_supply_ops timed_template_supply = {next, done};
