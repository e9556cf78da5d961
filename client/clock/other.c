/* Of a system that does not tell. */
#include "clock.h"

struct clock_state clock_look(void)
{
    return (struct clock_state){.is_known = false};
}
