/* Frames of GOOSE: what is read is written as something that is read the same. */
#include "fuzz.h"
#include "iec61850/goose.h"

#include <string.h>

enum { LONGEST = 16384 };

/* Values as they stand: a float that is none, and numbers with zeros before them, become others. */
static size_t write_values(const struct goose_message *message, uint8_t *buffer, size_t size)
{
    static struct mms_value values[MMS_VALUES_MAX];
    struct mms_walk walk;
    size_t count = 0;

    mms_begin(&walk, message->all_data, message->all_data_length);
    while (mms_next(&walk, &values[count])) {
        must(values[count].depth < MMS_DEPTH_MAX + 1, "it is not too deep");
        must(++count < MMS_VALUES_MAX + 1, "there are not too many");
        if (count == MMS_VALUES_MAX)
            break;
    }
    must(!walk.why, "data that were taken have no mistake");
    return mms_encode(values, count, buffer, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static uint8_t data[LONGEST], again[LONGEST];
    struct goose_message message, other;
    struct iec_fault fault = {NULL, 0};
    size_t length;

    if (!goose_decode(bytes, n, &message, &fault)) {
        must(fault.why && fault.offset <= n, "what is wrong is said");
        return 0;
    }
    length = write_values(&message, data, sizeof data);
    must(length > 0 || message.entries == 0, "values are written");
    message.all_data = data;
    message.all_data_length = length;
    length = goose_encode(&message, bytes[0] & 1, again, sizeof again);
    must(length > 0, "it is written");
    must(goose_decode(again, length, &other, &fault), "and read again");
    must(other.st_num == message.st_num && other.sq_num == message.sq_num &&
             other.t.ns == message.t.ns && other.entries == message.entries &&
             other.gocb_ref.length == message.gocb_ref.length,
         "it is the same");
    return 0;
}
