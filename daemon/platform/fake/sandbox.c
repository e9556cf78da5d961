/* Nothing confines a test. */
#include "platform/sandbox.h"

void sandbox_keeper(const struct sandbox_needs *needs, struct sandbox_report *ret)
{
    (void)needs;
    *ret = (struct sandbox_report){0};
}

void sandbox_broker(const struct sandbox_needs *needs, struct sandbox_report *ret)
{
    (void)needs;
    *ret = (struct sandbox_report){0};
}
