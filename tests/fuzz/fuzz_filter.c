/* Filters: a program of any bytes is refused, or runs and ends, and reads nothing but the frame.
 * The program and the frame share the input; what the sanitizers see is what is looked for. */
#include "filter/filter.h"
#include "fuzz.h"

#include <string.h>

enum { BYTES = 8 /* of an instruction */ };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct program program = {0};
    uint8_t *frame;
    size_t used = 1, length;
    uint32_t at = UINT32_MAX, result;

    if (n < 1)
        return 0;
    for (; program.count < bytes[0] && n - used >= BYTES; used += BYTES) {
        struct instruction *one = &program.instructions[program.count++];

        one->code =
            bytes[used + 1] & 1 ? (uint16_t)(bytes[used] | bytes[used + 1] << 8) : bytes[used];
        one->jt = bytes[used + 2];
        one->jf = bytes[used + 3];
        memcpy(&one->k, bytes + used + 4, sizeof one->k);
    }
    if (filter_judge(&program, &at)) {
        must(at < program.count, "what is wrong has a place");
        return 0;
    }
    length = n - used;
    frame = malloc(length ? length : 1); /* so that a byte beyond it is seen */
    must(frame != NULL, "there is memory");
    memcpy(frame, bytes + used, length);
    result = filter_run(&program, frame, (uint32_t)length, (uint32_t)length + bytes[0]);
    must(result == filter_run(&program, frame, (uint32_t)length, (uint32_t)length + bytes[0]),
         "it does the same again");
    free(frame);
    return 0;
}
