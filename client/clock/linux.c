/* adjtimex(2) without a change. */
#include "clock.h"

#include <sys/timex.h>

enum { NS_PER_US = 1000 };

/* STA_UNSYNC is set as long as nobody keeps the clock, and again where nobody did for long: the
 * largest error grows meanwhile. Both errors are in microseconds (kernel/time/ntp.c). */
struct clock_state clock_look(void)
{
    struct timex timex = {.modes = 0};
    int state = adjtimex(&timex);

    if (state < 0)
        return (struct clock_state){.is_known = false};
    return (struct clock_state){
        .is_known = true,
        .is_synchronized = state != TIME_ERROR && !(timex.status & STA_UNSYNC),
        .has_pulse =
            (timex.status & (STA_PPSSIGNAL | STA_PPSTIME)) == (STA_PPSSIGNAL | STA_PPSTIME),
        .error = (uint64_t)timex.esterror * NS_PER_US,
        .error_max = (uint64_t)timex.maxerror * NS_PER_US,
    };
}
