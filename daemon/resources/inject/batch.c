#include "batch.h"

#include <errno.h>

enum transmit_refusal_reason batch_judge(const struct frame_grant *grant,
                                         const unsigned char *bytes, uint32_t length)
{
    static const enum transmit_refusal_reason reasons[] = {
        [FRAME_RIGHT] = TRANSMIT_SENT,
        [FRAME_TOO_SHORT] = TRANSMIT_TOO_SHORT,
        [FRAME_WRONG_SOURCE] = TRANSMIT_SOURCE,
        [FRAME_WRONG_DESTINATION] = TRANSMIT_DESTINATION,
        [FRAME_WRONG_ETHERTYPE] = TRANSMIT_ETHERTYPE,
        [FRAME_WRONG_VLAN] = TRANSMIT_VLAN,
    };

    return reasons[frame_judge(grant, bytes, length)];
}

enum transmit_refusal_reason batch_reason(int result)
{
    static const struct {
        int result;
        enum transmit_refusal_reason reason;
    } reasons[] = {
        {0, TRANSMIT_SENT},
        {-ENETDOWN, TRANSMIT_DOWN},
        {-EMSGSIZE, TRANSMIT_TOO_LONG},
        {-EINVAL, TRANSMIT_TOO_SHORT},
    };

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].result == result)
            return reasons[i].reason;
    return TRANSMIT_KERNEL;
}

/* --- Taking -------------------------------------------------------------------------------- */

/* Where the next copy begins. */
static size_t behind(size_t at, uint32_t length)
{
    return (at + length + BATCH_ALIGN - 1) & ~(size_t)(BATCH_ALIGN - 1);
}

void batch_take(struct batch *batch, struct transmit_reader *reader,
                const struct frame_grant *grant)
{
    struct transmit_frame *frame = batch->taken;
    enum transmit_next next;
    size_t at = 0;

    batch->right = 0;
    for (; (next = transmit_reader_next(reader, batch->bytes + at, frame)) <= TRANSMIT_REFUSED;
         frame++) {
        if (next == TRANSMIT_FRAME)
            frame->reason = batch_judge(grant, batch->bytes + at, frame->length);
        if (frame->reason != TRANSMIT_SENT)
            continue;
        batch->frames[batch->right++] = (struct injection_frame){batch->bytes + at, frame->length};
        at = behind(at, frame->length);
    }
    batch->count = (unsigned)(frame - batch->taken);
}

/* --- Sending ------------------------------------------------------------------------------- */

/* Tells what became of so many that were sent, and of those that are refused before them and
 * behind them. Returns the place of the next one. */
static unsigned settle(const struct batch *batch, struct transmit_reader *reader, unsigned place,
                       unsigned sent)
{
    for (; place < batch->count; place++) {
        const struct transmit_frame *frame = &batch->taken[place];

        if (frame->reason == TRANSMIT_SENT && sent-- == 0)
            break;
        transmit_reader_judge(reader, frame, frame->reason);
    }
    return place;
}

void batch_send(struct batch *batch, struct transmit_reader *reader, int fd, bool gives_up)
{
    unsigned place = settle(batch, reader, 0, 0);

    batch->sent = 0;
    batch->was_full = false;
    for (unsigned done = 0; done < batch->right;) {
        int result = injection_send_some(fd, batch->frames + done, batch->right - done);
        unsigned tried = result > 0 ? (unsigned)result : 1;

        batch->was_full |= result == -EAGAIN;
        if (result == -EAGAIN && !gives_up) {
            transmit_reader_back(reader, &batch->taken[place]);
            return;
        }
        if (result < 0)
            batch->taken[place].reason = batch_reason(result);
        else
            batch->sent += tried;
        place = settle(batch, reader, place, result < 0 ? 0 : tried);
        done += tried;
    }
}
