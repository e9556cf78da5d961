/* What both formats need: which one it is, where it ends, and what a time is. */
#include "capture.h"
#include "internal.h"

enum { KIND_UNKNOWN, KIND_PCAPNG, KIND_PCAP };

enum savefile_next reader_fail(struct savefile_reader *reader, uint64_t value, const char *why)
{
    reader->fault = (struct savefile_fault){.offset = reader->offset, .value = value, .why = why};
    return SAVEFILE_BROKEN;
}

/* --- Which format -------------------------------------------------------------------------- */

static bool is_pcap(const unsigned char bytes[4], bool big)
{
    uint32_t magic = (uint32_t)load(bytes, 4, big);

    return magic == PCAP_MAGIC_US || magic == PCAP_MAGIC_NS;
}

bool savefile_is_file(const unsigned char bytes[4])
{
    return load(bytes, 4, false) == BLOCK_SECTION || is_pcap(bytes, false) || is_pcap(bytes, true);
}

static enum savefile_next begin(struct savefile_reader *reader, const unsigned char *bytes,
                                size_t n, size_t *used, struct savefile_item *ret)
{
    enum savefile_next next;

    if (n < 4)
        return SAVEFILE_MORE;
    if (!savefile_is_file(bytes))
        return reader_fail(reader, load(bytes, 4, true),
                           "it is no capture file: it begins neither as pcapng nor as pcap");
    if (load(bytes, 4, false) == BLOCK_SECTION) {
        reader->kind = KIND_PCAPNG;
        return pcapng_next(reader, bytes, n, used, ret);
    }
    reader->big = is_pcap(bytes, true);
    next = pcap_begin(reader, bytes, n, used, ret);
    if (next != SAVEFILE_MORE)
        reader->kind = KIND_PCAP;
    return next;
}

/* --- Through the file ---------------------------------------------------------------------- */

enum savefile_next savefile_reader_next(struct savefile_reader *reader, const unsigned char *bytes,
                                        size_t n, size_t *ret_used, struct savefile_item *ret)
{
    enum savefile_next next;

    *ret_used = 0;
    if (reader->fault.why)
        return SAVEFILE_BROKEN;
    if (reader->kind == KIND_UNKNOWN)
        next = begin(reader, bytes, n, ret_used, ret);
    else if (reader->kind == KIND_PCAP)
        next = pcap_next(reader, bytes, n, ret_used, ret);
    else
        next = pcapng_next(reader, bytes, n, ret_used, ret);
    if (next != SAVEFILE_BROKEN)
        reader->offset += *ret_used;
    return next;
}

bool savefile_reader_end(struct savefile_reader *reader, size_t unused)
{
    if (reader->fault.why)
        return false;
    if (reader->kind != KIND_UNKNOWN && unused == 0 && reader->trailer == 0)
        return true;
    reader_fail(reader, unused,
                reader->kind == KIND_UNKNOWN && unused == 0
                    ? "it is empty"
                    : "it ends within a block or a frame: it was cut, or is still being written");
    return false;
}

/* --- Times --------------------------------------------------------------------------------- */

/* value * 10^-power seconds, in ns. False: above 64 bits. */
static bool decimal_time(unsigned power, uint64_t value, uint64_t *ret)
{
    for (; power > 9 && value > 0; power--)
        value /= 10;
    for (; power < 9 && value > 0; power++) {
        if (value > UINT64_MAX / 10)
            return false;
        value *= 10;
    }
    *ret = value;
    return true;
}

/* value * 2^-power seconds, in ns. Of what is below a second, 34 bits are enough for ns. */
static bool binary_time(unsigned power, uint64_t value, uint64_t *ret)
{
    enum { BITS = 34 };
    uint64_t seconds = power < 64 ? value >> power : 0;
    uint64_t rest = power < 64 ? value & ((UINT64_C(1) << power) - 1) : value;

    if (power > BITS) {
        rest = power - BITS < 64 ? rest >> (power - BITS) : 0;
        power = BITS;
    }
    if (seconds > UINT64_MAX / SECOND - 1)
        return false;
    *ret = seconds * SECOND + (rest * SECOND >> power);
    return true;
}

static bool shift(int64_t seconds, uint64_t *time)
{
    uint64_t amount = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;

    if (amount > UINT64_MAX / SECOND)
        return false;
    amount *= SECOND;
    if (seconds < 0 ? amount > *time : amount > UINT64_MAX - *time)
        return false;
    *time = seconds < 0 ? *time - amount : *time + amount;
    return true;
}

bool savefile_time(uint8_t resolution, int64_t seconds, uint64_t value, uint64_t *ret)
{
    unsigned power = resolution & 0x7f;
    bool fits =
        resolution & 0x80 ? binary_time(power, value, ret) : decimal_time(power, value, ret);

    return fits && shift(seconds, ret);
}
