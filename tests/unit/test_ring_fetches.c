/* What a client can change while it is read: the service reads each index, and each length of a
 * record, once, and decides by what it has read. Here everything changes behind each read
 * (fetches/model.h). */
#include "ring/capture.h"
#include "ring/transmit.h"
#include "suite.h"

#include <stdlib.h>

enum { SIZE = 256, FRAME = 60, GUARD = 64 };

unsigned fetches;

START_TEST(a_tail_is_read_once)
{
    struct capture_control control = {0};
    struct capture_page page = {0};
    ring_data data[2 * SIZE];
    struct capture_writer writer;
    struct capture_frame frame = {.length = FRAME, .original = FRAME};
    unsigned char bytes[FRAME] = {0};

    ck_assert(capture_writer_init(&writer,
                                  &(struct capture_memory){&control, data, SIZE, 4096, &page}, 0));
    ck_assert(capture_writer_put(&writer, &frame, bytes));
    ck_assert(capture_writer_put(&writer, &frame, bytes));
    capture_writer_publish(&writer);
    page.tail = control.head;
    fetches = 0;
    ck_assert(capture_writer_put(&writer, &frame, bytes));
    ck_assert_uint_eq(fetches, 1);
    ck_assert_uint_eq(page.tail, HOSTILE);
    ck_assert(capture_writer_put(&writer, &frame, bytes));
    ck_assert(!capture_writer_put(&writer, &frame, bytes)); /* nor is what stands there believed */
    ck_assert_uint_eq(writer.counts.lies, 1);
}
END_TEST

START_TEST(a_length_is_read_once)
{
    struct transmit_control control = {0};
    struct transmit_feedback feedback = {0};
    ring_data data[2 * SIZE] = {0};
    struct transmit_reader reader;
    struct transmit_header header = {.length = FRAME, .tag = 7};
    struct transmit_frame frame;
    unsigned char buffer[FRAME + GUARD];

    memset(buffer, 1, sizeof buffer);
    memcpy(data, &header, sizeof header);
    ck_assert(transmit_reader_init(
        &reader, &(struct transmit_memory){&control, data, SIZE, 4096, FRAME, &feedback}));
    control.head = transmit_record_bytes(FRAME);
    fetches = 0;
    ck_assert(transmit_reader_turn(&reader, 1, SIZE));
    ck_assert_uint_eq(fetches, 1);
    ck_assert_int_eq(transmit_reader_next(&reader, buffer, &frame), TRANSMIT_FRAME);
    ck_assert_uint_eq(fetches, 3); /* the header and the frame */
    ck_assert_uint_eq(frame.length, FRAME);
    ck_assert_uint_eq(frame.tag, 7);
    for (unsigned i = 0; i < sizeof buffer; i++)
        ck_assert_uint_eq(buffer[i], i >= FRAME);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_tail_is_read_once);
    tcase_add_test(tests, a_length_is_read_once);
}

int main(void)
{
    return suite_run("ring_fetches", add_tests);
}
