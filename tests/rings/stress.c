/* Rings whose two sides run at the same time: every frame is delivered with its bytes, or told to
 * be lost; and with a client that writes whatever it likes wherever it can, the service's side goes
 * on, within its bounds.
 *
 * usage: ring-stress threads|processes [FRAMES]
 *
 * threads: both sides in one process, which is what the thread sanitizer can look at. processes:
 * the client is another process, of nobody if this one is root's, which has mapped what the
 * service's descriptors let it. */
#include "platform/rings.h"
#include "ring/capture.h"
#include "ring/transmit.h"
#include "rings.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 1 << 16, NOBODY = 65534, LIMIT = 1518, TURN_RECORDS = 50, TURN_BYTES = 20000 };

static bool apart;
static uint64_t frames = 300000;

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "does not hold: %s\n", what);
    abort();
}

/* --- Two sides ----------------------------------------------------------------------------- */

/* A ring of either kind: `main` has the records, `other` is a page. */
struct place {
    struct ring_memory main, other;
    struct bell to_client, to_service;
};

/* What the client has of it. */
struct client {
    void *page, *other_page;
    unsigned char *data;
    int wait, ring;
    bool is_capture;
    _Atomic bool ends; /* a thread that lies */
};

static void place_make(struct place *place, bool is_capture)
{
    must(ring_memory_make("ring", SIZE, is_capture ? MEMORY_SHOWN : MEMORY_FIXED, &place->main) ==
             0,
         "there is memory");
    must(ring_memory_make("page", 0, is_capture ? MEMORY_FIXED : MEMORY_SHOWN, &place->other) == 0,
         "there is memory");
    must(bell_make(&place->to_client) == 0 && bell_make(&place->to_service) == 0, "bells");
}

static void close_bell(struct bell *bell)
{
    close(bell->ring);
    close(bell->wait);
}

static void place_free(struct place *place)
{
    ring_memory_free(&place->main);
    ring_memory_free(&place->other);
    close_bell(&place->to_client);
    close_bell(&place->to_service);
}

static void map_client(struct place *place, struct client *client)
{
    struct ring_view first, second;

    must(ring_view_map(place->main.fd, !client->is_capture, &first) == 0, "it is mapped");
    must(ring_view_map(place->other.fd, client->is_capture, &second) == 0, "it is mapped");
    must(first.size == SIZE && second.size == 0, "as large as it was made");
    client->page = first.page;
    client->data = first.data;
    client->other_page = second.page;
}

struct side {
    pthread_t thread;
    pid_t pid;
    void (*run)(struct client *client);
    struct client client;
};

static void *run_thread(void *context)
{
    struct side *side = context;

    side->run(&side->client);
    return NULL;
}

static void be_client(struct place *place, struct side *side)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    ring_memory_unmap(&(struct ring_memory){-1, place->main.page, place->main.data, SIZE,
                                            place->main.data_offset});
    ring_memory_unmap(
        &(struct ring_memory){-1, place->other.page, NULL, 0, place->other.data_offset});
    must(getuid() != 0 ||
             (setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0),
         "it is nobody");
    map_client(place, &side->client);
    side->run(&side->client);
    _exit(0);
}

static void side_begin(struct side *side, struct place *place, bool is_capture,
                       void (*run)(struct client *client))
{
    side->run = run;
    side->client = (struct client){.is_capture = is_capture,
                                   .page = place->main.page,
                                   .data = place->main.data,
                                   .other_page = place->other.page,
                                   .wait = place->to_client.wait,
                                   .ring = place->to_service.ring};
    if (!apart) {
        must(pthread_create(&side->thread, NULL, run_thread, side) == 0, "a thread");
        return;
    }
    side->pid = fork();
    must(side->pid >= 0, "a process");
    if (side->pid == 0)
        be_client(place, side);
}

/* An honest one ends by itself. */
static void side_end(struct side *side, bool lies)
{
    int status;

    atomic_store(&side->client.ends, true);
    if (!apart) {
        pthread_join(side->thread, NULL);
        return;
    }
    if (lies)
        kill(side->pid, SIGKILL);
    must(waitpid(side->pid, &status, 0) == side->pid, "it ends");
    must(lies ? WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL : status == 0,
         "it ends as it should");
}

static void sleep_until(int fd)
{
    struct pollfd poll_fd = {fd, POLLIN, 0};

    must(poll(&poll_fd, 1, -1) == 1, "a bell rings");
}

static uint64_t random_from(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* --- Frames that follow from their number -------------------------------------------------- */

static uint32_t length_of(uint64_t number)
{
    return (uint32_t)(8 + number * 2654435761 % 400);
}

static unsigned char byte_of(uint64_t number, uint32_t i)
{
    return (unsigned char)(number * 0x9e3779b97f4a7c15 >> 56) + (unsigned char)i;
}

static void fill(unsigned char *bytes, uint64_t number)
{
    for (uint32_t i = 0; i < length_of(number); i++)
        bytes[i] = byte_of(number, i);
}

static bool is_right(const unsigned char *bytes, uint32_t length, uint64_t number)
{
    bool right = length == length_of(number);

    for (uint32_t i = 0; i < length && right; i++)
        right = bytes[i] == byte_of(number, i);
    return right;
}

/* --- Capture ------------------------------------------------------------------------------- */

static uint64_t seen_in(const struct capture_record *record)
{
    struct capture_gap gap;

    if (record->header.kind == CAPTURE_GAP) {
        memcpy(&gap, record->payload, sizeof gap);
        return gap.frames;
    }
    must(is_right(record->payload, record->header.length, record->header.sequence),
         "the bytes of a frame");
    return 1;
}

static void read_all(struct client *client)
{
    struct capture_reader reader;
    struct capture_record record;
    uint64_t seen = 0, accepted = 0;

    must(capture_reader_init(&reader, client->page, client->data, SIZE, client->other_page),
         "it is a ring");
    for (;;)
        switch (capture_reader_next(&reader, &record)) {
        case CAPTURE_RECORD:
            must(record.header.sequence == seen, "sequences have no hole");
            accepted += record.header.kind == CAPTURE_FRAME;
            seen += seen_in(&record);
            if (accepted % 16 == 0)
                capture_reader_release(&reader);
            break;
        case CAPTURE_NONE:
            capture_reader_release(&reader);
            if (capture_reader_wait(&reader)) {
                sleep_until(client->wait);
                ring_bell_clear(client->wait);
            }
            break;
        case CAPTURE_ENDED:
            must(seen + reader.untold == frames, "accepted and told are all");
            must(accepted > 0, "some are accepted");
            return;
        case CAPTURE_BROKEN:
            must(false, "it stays a ring");
        }
}

/* Where one is lost, the reader has some time, so that most are not. */
static void write_frame(struct capture_writer *writer, struct place *place, uint64_t number)
{
    struct capture_frame frame = {length_of(number), length_of(number), number, 0};
    unsigned char *bytes = capture_writer_reserve(writer, &frame);

    if (bytes)
        fill(bytes, number);
    capture_writer_commit(writer);
    if ((number % 4 == 0 || !bytes) && capture_writer_publish(writer))
        bell_ring(place->to_client.ring);
    if (!bytes)
        usleep(50);
}

/* Until enough lies were seen, if there are to be some. */
static void write_frames(struct capture_writer *writer, struct place *place, uint64_t lies)
{
    uint64_t count = 0;

    for (; count < frames || writer->counts.lies < lies; count++)
        write_frame(writer, place, count);
    if (capture_writer_end(writer, RING_END_CLOSED))
        bell_ring(place->to_client.ring);
    must(writer->counts.frames + writer->counts.lost_frames == count, "each counts");
}

static void begin_capture(struct place *place, struct capture_writer *writer)
{
    struct capture_memory memory;

    place_make(place, true);
    memory = (struct capture_memory){place->main.page, place->main.data, SIZE,
                                     place->main.data_offset, place->other.page};
    must(capture_writer_init(writer, &memory, 1), "it begins");
}

static void honest_capture(void)
{
    struct capture_writer writer;
    struct place place;
    struct side side;

    begin_capture(&place, &writer);
    side_begin(&side, &place, true, read_all);
    write_frames(&writer, &place, 0);
    side_end(&side, false);
    must(writer.counts.lies == 0, "nobody lied");
    printf("capture: %llu frames, %llu of them lost and told\n", (unsigned long long)frames,
           (unsigned long long)writer.counts.lost_frames);
    place_free(&place);
}

/* --- Transmit ------------------------------------------------------------------------------ */

static uint64_t hear(struct transmit_writer *writer, uint64_t *next)
{
    struct transmit_refusal refusal;
    uint64_t count = 0;

    for (; transmit_writer_next_refusal(writer, &refusal); count++) {
        must(refusal.sequence >= *next && refusal.sequence % 7 == 0, "each that was refused");
        must(refusal.tag == ~refusal.sequence && refusal.reason == TRANSMIT_VLAN, "is told");
        *next = refusal.sequence + 1;
    }
    return count;
}

static void publish(struct transmit_writer *writer, struct client *client)
{
    if (transmit_writer_publish(writer))
        ring_bell_ring(client->ring);
}

static void wait_for_room(struct transmit_writer *writer, struct client *client, uint32_t length)
{
    if (!transmit_writer_wait(writer, length))
        return;
    sleep_until(client->wait);
    ring_bell_clear(client->wait);
}

static void send_all(struct client *client)
{
    unsigned char bytes[LIMIT];
    struct transmit_writer writer;
    struct transmit_counts counts;
    uint64_t heard = 0, next = 0;

    must(transmit_writer_init(&writer, client->page, client->data, SIZE, client->other_page),
         "it is a ring");
    for (uint64_t i = 0; i < frames; i++) {
        fill(bytes, i);
        while (transmit_writer_put(&writer, bytes, length_of(i), 3 * i, ~i) == TRANSMIT_FULL) {
            publish(&writer, client);
            heard += hear(&writer, &next);
            wait_for_room(&writer, client, length_of(i));
        }
        if (i % 4 == 0)
            publish(&writer, client);
    }
    publish(&writer, client);
    while (writer.end == RING_GOES_ON) {
        heard += hear(&writer, &next);
        wait_for_room(&writer, client, RING_LENGTH_MAX);
    }
    heard += hear(&writer, &next);
    transmit_writer_counts(&writer, &counts);
    must(counts.judged == frames && counts.sent + counts.refused[TRANSMIT_VLAN] == frames,
         "the fate of all is told");
    must(heard + counts.untold == counts.refused[TRANSMIT_VLAN], "refusals are told or counted");
}

static uint64_t send_turn(struct transmit_reader *reader, unsigned char *buffer, bool lies)
{
    struct transmit_frame frame;
    enum transmit_next next;
    uint64_t records = 0, bytes = 0;

    if (!transmit_reader_turn(reader, TURN_RECORDS, TURN_BYTES))
        return 0;
    while ((next = transmit_reader_next(reader, buffer, &frame)) == TRANSMIT_FRAME ||
           next == TRANSMIT_REFUSED) {
        records++;
        must(reader->head - reader->tail <= SIZE, "it stays within what was published");
        must(bytes < TURN_BYTES, "a turn has a bound of bytes");
        bytes += transmit_record_bytes(frame.length);
        if (next == TRANSMIT_REFUSED) {
            transmit_reader_judge(reader, &frame, frame.reason);
            continue;
        }
        must(frame.length <= LIMIT, "a frame is not too long");
        must(lies ||
                 (is_right(buffer, frame.length, frame.sequence) && frame.tag == ~frame.sequence),
             "the bytes of a frame");
        transmit_reader_judge(reader, &frame, frame.sequence % 7 ? TRANSMIT_SENT : TRANSMIT_VLAN);
    }
    must(records <= TURN_RECORDS, "a turn has a bound of records");
    return records;
}

static void begin_transmit(struct place *place, struct transmit_reader *reader)
{
    struct transmit_memory memory;

    place_make(place, false);
    memory = (struct transmit_memory){
        place->main.page, place->main.data, SIZE, place->main.data_offset, LIMIT,
        place->other.page};
    must(transmit_reader_init(reader, &memory), "it begins");
}

static void honest_transmit(void)
{
    unsigned char *buffer = malloc(LIMIT);
    struct transmit_reader reader;
    struct place place;
    struct side side;

    begin_transmit(&place, &reader);
    side_begin(&side, &place, false, send_all);
    for (uint64_t seen = 0; seen < frames;) {
        seen += send_turn(&reader, buffer, false);
        must(reader.end == RING_GOES_ON, "an honest ring goes on");
        if (transmit_reader_release(&reader))
            bell_ring(place.to_client.ring);
        if (seen < frames && transmit_reader_wait(&reader)) {
            sleep_until(place.to_service.wait);
            bell_clear(place.to_service.wait);
        }
    }
    if (transmit_reader_end(&reader, RING_END_CLOSED))
        bell_ring(place.to_client.ring);
    side_end(&side, false);
    printf("transmit: %llu frames, %llu refused, %llu of them only counted\n",
           (unsigned long long)frames, (unsigned long long)reader.counts.refused[TRANSMIT_VLAN],
           (unsigned long long)reader.counts.untold);
    place_free(&place);
    free(buffer);
}

/* --- Clients that lie ---------------------------------------------------------------------- */

/* Any word in the memory that is its own, and often what may pass a check. */
static void scribble(struct client *client)
{
    ring_index *page = client->is_capture ? client->other_page : client->page;
    const struct capture_control *capture = client->page;
    const struct transmit_feedback *transmit = client->other_page;
    uint64_t random = 88172645463325252;

    while (!atomic_load_explicit(&client->ends, memory_order_relaxed)) {
        uint64_t value = random_from(&random), where = random_from(&random);

        if (value % 4 > 0) /* not far from where the service is */
            value = (client->is_capture ? RING_LOAD(&capture->head, relaxed) - value % SIZE
                                        : RING_LOAD(&transmit->tail, relaxed) + value % SIZE) &
                    ~(uint64_t)7;
        if (!client->is_capture && where % 4 == 0) /* the length that the service looks at now */
            RING_STORE(
                (ring_index *)(void *)(client->data + RING_LOAD(&transmit->tail, relaxed) % SIZE),
                where >> 20 & 0xfff, relaxed);
        else if (where % 2)
            RING_STORE(&page[where / 2 % 3 * 16], value, relaxed); /* an index */
        else if (client->is_capture || where % 512 == 0)
            RING_STORE(&page[where / 512 % 512], value, relaxed);
        else
            RING_STORE((ring_index *)(void *)(client->data + where / 512 * 8 % SIZE),
                       where % 8 ? where >> 16 & 0x7ff : value, relaxed);
    }
}

static void lying_reader(void)
{
    struct capture_writer writer;
    struct place place;
    struct side side;

    begin_capture(&place, &writer);
    side_begin(&side, &place, true, scribble);
    write_frames(&writer, &place, 100);
    side_end(&side, true);
    must(writer.head - writer.tail <= SIZE, "the writer stays within the ring");
    printf("capture, a reader that lies: %llu lies\n", (unsigned long long)writer.counts.lies);
    place_free(&place);
}

static void lying_writer(void)
{
    unsigned char *buffer = malloc(LIMIT); /* no byte more */
    struct transmit_reader reader;
    uint64_t records = 0, ends = 0, turns = 0;
    struct transmit_memory memory;
    struct place place;
    struct side side;

    begin_transmit(&place, &reader);
    memory = reader.memory;
    side_begin(&side, &place, false, scribble);
    /* A ring that has ended begins again, as another one would, until enough was tried. */
    for (; records < frames || ends < 1000; turns++) {
        uint64_t taken = send_turn(&reader, buffer, true);

        records += taken;
        if (taken == 0)
            sched_yield();
        transmit_reader_release(&reader);
        transmit_reader_wait(&reader);
        if (reader.end == RING_GOES_ON)
            continue;
        ends++;
        must(transmit_reader_init(&reader, &memory), "another one begins");
    }
    side_end(&side, true);
    printf("transmit, a writer that lies: %llu turns, %llu records, %llu rings ended\n",
           (unsigned long long)turns, (unsigned long long)records, (unsigned long long)ends);
    place_free(&place);
    free(buffer);
}

int main(int count, char **arguments)
{
    must(count > 1, "usage: ring-stress threads|processes [FRAMES]");
    apart = strcmp(arguments[1], "processes") == 0;
    if (count > 2)
        frames = strtoull(arguments[2], NULL, 10);
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    honest_capture();
    honest_transmit();
    lying_reader();
    lying_writer();
    return 0;
}
