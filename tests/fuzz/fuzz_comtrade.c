/* Recordings in COMTRADE: a single file, or a configuration and, behind a byte of zero, its data.
 */
#include "comtrade/comtrade.h"
#include "fuzz.h"

#include <math.h>
#include <string.h>

static void read_samples(const struct comtrade *cfg, struct comtrade_text data)
{
    static struct comtrade_sample sample;
    struct comtrade_reader reader;
    enum comtrade_next next;
    unsigned count = 0;

    comtrade_begin(&reader, cfg, data.bytes, data.length);
    while ((next = comtrade_next(&reader, &sample)) == COMTRADE_SAMPLE) {
        must(++count <= data.length, "samples have bytes");
        must(!isnan(sample.time), "a sample has a time");
    }
    must(next == COMTRADE_END || (reader.fault.why && reader.fault.line == count + 1),
         "what is wrong is said");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct comtrade cfg;
    const char *text = (const char *)bytes;
    struct comtrade_fault fault = {0, NULL};
    struct comtrade_parts parts;
    size_t end;

    if (n == 0)
        return 0;
    if (!comtrade_split(text, n, &parts, &fault)) {
        must(fault.why && fault.line > 0, "what is wrong is said");
        end = memchr(text, 0, n) ? (size_t)((const char *)memchr(text, 0, n) - text) : n;
        parts.cfg = (struct comtrade_text){text, end};
        parts.data = (struct comtrade_text){text + end + (end < n), n - end - (end < n)};
    }
    if (comtrade_read_cfg(parts.cfg.bytes, parts.cfg.length, &cfg, &fault)) {
        must(cfg.analogs <= COMTRADE_ANALOGS_MAX && cfg.digitals <= COMTRADE_DIGITALS_MAX,
             "channels have room");
        read_samples(&cfg, parts.data);
    } else {
        must(fault.why && fault.line > 0, "what is wrong is said");
    }
    return 0;
}
