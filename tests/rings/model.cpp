/* usage: model [ITERATIONS]       with -DMODEL_CAPTURE or -DMODEL_TRANSMIT
 *
 * The rings' own code, both sides of it, under Relacy (model.h): each interleaving must deliver every
 * frame or tell that it was lost, with the bytes that were written, and no wake-up may be lost: then
 * nobody could run, which is found as well. And with any one of its orders weaker it must fail: so no
 * order is there for nothing, and none that is needed is missing in what is done here. */
#include "model.h"

#define NB_RING_MODEL
/* Both sides in one unit: they have no name in common. */
#ifdef MODEL_CAPTURE
#include "ring/capture_reader.c"
#include "ring/capture_writer.c"
#else
#include "ring/transmit_reader.c"
#include "ring/transmit_writer.c"
#endif

enum { ORDERS = __COUNTER__ - MODEL_FIRST };

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a pipe is: who waits sleeps until it was rung. */
struct model_bell {
    rl::mutex mutex;
    rl::condition_variable changed;
    rl::var<int> rung;

    void init()
    {
        rung($) = 0;
    }

    void ring()
    {
        mutex.lock($);
        rung($) = 1;
        changed.notify_one($);
        mutex.unlock($);
    }

    void wait()
    {
        mutex.lock($);
        while (rung($) == 0)
            changed.wait(mutex, $);
        rung($) = 0;
        mutex.unlock($);
    }
};

#ifdef MODEL_CAPTURE
enum { FRAMES = 5 };

struct ring_test : rl::test_suite<ring_test, 2> {
    capture_control control;
    capture_page page;
    ring_data data;
    model_bell bell;
    capture_writer writer;
    capture_reader reader;

    void before()
    {
        capture_memory memory = {&control, &data, MODEL_SIZE, 0, &page};

        RING_STORE(&control.head, 0, relaxed);
        RING_STORE(&control.ended, 0, relaxed);
        RING_STORE(&control.offered, 0, relaxed);
        RING_STORE(&page.tail, 0, relaxed);
        RING_STORE(&page.waiting, 0, relaxed);
        bell.init();
        RL_ASSERT(capture_writer_init(&writer, &memory, 0));
        RL_ASSERT(capture_reader_init(&reader, &control, &data, MODEL_SIZE, &page));
    }

    void write()
    {
        for (uint64_t i = 0; i < FRAMES; i++) {
            capture_frame frame = {8, 8, i, 0};

            capture_writer_put(&writer, &frame, &i);
            if (rl::rand(2) && capture_writer_publish(&writer))
                bell.ring();
        }
        if (capture_writer_end(&writer, RING_END_CLOSED))
            bell.ring();
    }

    uint64_t take(const capture_record *record)
    {
        uint64_t words[2], at = (uint64_t)(uintptr_t)record->payload;

        ring_read(&data, at, words, record->header.length);
        if (record->header.kind == CAPTURE_GAP)
            return words[0];
        RL_ASSERT(record->header.kind == CAPTURE_FRAME && record->header.length == 8);
        RL_ASSERT(words[0] == record->header.sequence && words[0] == record->header.time);
        return 1;
    }

    void read()
    {
        uint64_t seen = 0;
        capture_record record;

        for (;;)
            switch (capture_reader_next(&reader, &record)) {
            case CAPTURE_RECORD:
                RL_ASSERT(record.header.sequence == seen);
                seen += take(&record);
                if (rl::rand(2))
                    capture_reader_release(&reader);
                break;
            case CAPTURE_NONE:
                capture_reader_release(&reader);
                if (capture_reader_wait(&reader))
                    bell.wait();
                break;
            case CAPTURE_ENDED:
                RL_ASSERT(seen + reader.untold == FRAMES);
                return;
            default:
                RL_ASSERT(!"a ring");
            }
    }

    void thread(unsigned id)
    {
        id == 0 ? write() : read();
    }
};
#else
enum { FRAMES = 8 };

/* Each of them waits for the other: the writer for room, the reader for frames. */
struct ring_test : rl::test_suite<ring_test, 2> {
    transmit_control control;
    transmit_feedback feedback;
    ring_data data;
    model_bell bell_of_reader, bell_of_writer;
    transmit_writer writer;
    transmit_reader reader;
    uint64_t heard; /* the sequence behind the last refusal */

    void before()
    {
        transmit_memory memory = {&control, &data, MODEL_SIZE, 0, 40, &feedback};

        for (ring_index *index : {&control.head, &control.waiting, &control.heard, &feedback.tail,
                                  &feedback.waiting, &feedback.ended, &feedback.judged,
                                  &feedback.sent, &feedback.sent_bytes, &feedback.told,
                                  &feedback.untold})
            RING_STORE(index, 0, relaxed);
        for (ring_index &index : feedback.refused)
            RING_STORE(&index, 0, relaxed);
        for (transmit_told &told : feedback.refusals)
            for (ring_word *word : {&told.sequence, &told.tag, &told.what})
                RING_SET(*word, 0);
        heard = 0;
        bell_of_reader.init();
        bell_of_writer.init();
        RL_ASSERT(transmit_reader_init(&reader, &memory));
        RL_ASSERT(transmit_writer_init(&writer, &control, &data, MODEL_SIZE, &feedback));
    }

    void publish()
    {
        if (transmit_writer_publish(&writer))
            bell_of_reader.ring();
    }

    /* All that were told, each once and with what belongs to it. */
    void hear()
    {
        transmit_refusal refusal;

        while (transmit_writer_next_refusal(&writer, &refusal)) {
            RL_ASSERT(refusal.sequence >= heard && refusal.sequence < FRAMES);
            RL_ASSERT(refusal.tag == refusal.sequence && refusal.length == 32);
            RL_ASSERT(refusal.reason == TRANSMIT_VLAN);
            heard = refusal.sequence + 1;
        }
    }

    void write()
    {
        for (uint64_t i = 0; i < FRAMES; i++) {
            uint64_t payload[4] = {i, i, i, i};
            transmit_taken taken;

            while ((taken = transmit_writer_put(&writer, payload, sizeof payload, 3 * i, i)) ==
                   TRANSMIT_FULL) {
                publish();
                hear();
                if (transmit_writer_wait(&writer, sizeof payload))
                    bell_of_writer.wait();
            }
            RL_ASSERT(taken == TRANSMIT_TAKEN);
            if (rl::rand(2))
                publish();
            if (rl::rand(2))
                hear();
        }
        publish();
        hear();
    }

    void take(uint64_t expected)
    {
        transmit_frame frame;
        uint64_t payload[4] = {};

        RL_ASSERT(transmit_reader_next(&reader, (unsigned char *)payload, &frame) ==
                  TRANSMIT_FRAME);
        RL_ASSERT(frame.sequence == expected && frame.tag == expected && frame.length == 32);
        RL_ASSERT(frame.time == 3 * expected);
        for (uint64_t word : payload)
            RL_ASSERT(word == expected);
        transmit_reader_judge(&reader, &frame, rl::rand(2) ? TRANSMIT_VLAN : TRANSMIT_SENT);
    }

    void read()
    {
        for (uint64_t seen = 0; seen < FRAMES;) {
            if (!transmit_reader_wait(&reader)) {
                RL_ASSERT(transmit_reader_turn(&reader, 1 + rl::rand(2), MODEL_SIZE));
                for (; reader.records > 0 && reader.head != reader.tail; seen++)
                    take(seen);
                if (transmit_reader_release(&reader))
                    bell_of_writer.ring();
            } else
                bell_of_reader.wait();
        }
    }

    void thread(unsigned id)
    {
        id == 0 ? write() : read();
    }
};
#endif

/* Ends with what it says on its first lines; the history of a failure follows, and after one Relacy may
 * end by itself. */
static void simulate(int iterations)
{
    rl::test_params parameters;

    parameters.iteration_count = (rl::iteration_t)iterations;
    parameters.search_type = rl::random_scheduler_type;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (rl::simulate<ring_test>(parameters))
        puts("HOLDS");
}

/* What the code is found to do, in a process of its own, as a static text. */
static const char *find(int iterations)
{
    static const char *const results[] = {"HOLDS", "DATA RACE", "DEADLOCK", "USER ASSERT FAILED",
                                          "LIVELOCK"};
    static char text[1 << 20];
    size_t length = 0;
    ssize_t n;
    int ends[2];

    fflush(stdout); /* else the child has it as well */
    if (pipe(ends) < 0 || fork() == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        simulate(iterations);
        fflush(stdout);
        _exit(0);
    }
    close(ends[1]);
    while (length < sizeof text - 1 && (n = read(ends[0], text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)n;
    text[length] = '\0';
    close(ends[0]);
    wait(NULL);
    for (const char *result : results)
        if (strstr(text, result))
            return result;
    return "ended by itself, without a result";
}

static bool is_failure(const char *found)
{
    return strchr("DUL", found[0]) != NULL;
}

int main(int count, char **arguments)
{
    int iterations = count > 1 ? atoi(arguments[1]) : 10000, mistakes;
    const char *found = find(iterations);

    printf("as it is: %s, %d interleavings\n", found, iterations);
    mistakes = strcmp(found, "HOLDS") != 0;
    for (model_weaker = 0; model_weaker < ORDERS; model_weaker++) {
        found = find(3 * iterations);
        printf("weaker at %s:%d: %s\n", model_places[model_weaker].file,
               model_places[model_weaker].line, found);
        mistakes += !is_failure(found);
    }
    printf("%d orders, %d mistakes\n", ORDERS, mistakes);
    return mistakes > 0 || ORDERS == 0;
}
