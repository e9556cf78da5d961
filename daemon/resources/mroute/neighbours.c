#include "neighbours.h"

#include "mroute_internal.h"

enum {
    LOOKS_A_STEP = 64,  /* some 10 ns each; 100 ns where the route is of one group */
    STEPS_AT_ONCE = 16, /* with a write each, if much is to be changed */
    ALONE_OR_BOTH = 2,  /* routes of a group: with more, none was alone, or is now */
};

/* Whether the entry was made to fit. */
static bool settle(struct mfc *mfc, struct route *route)
{
    if (!route->is_range || !mfc_entry_is_wrong(mfc, route))
        return false;
    mfc_sync(mfc, route);
    return true;
}

/* --- Beside a range of one group ------------------------------------------------------------ */

struct beside {
    struct mfc *mfc;
    const struct route *range;
};

static bool settle_beside(void *context, struct route *route)
{
    const struct beside *beside = context;

    if (route != beside->range)
        settle(beside->mfc, route);
    return true;
}

/* --- Within a larger one -------------------------------------------------------------------- */

static void begin(struct mfc *mfc)
{
    route_cursor_open_table(&mfc->neighbours.cursor, mfc);
    mfc->neighbours.walks = true;
    mfc->neighbours.again = false;
}

void neighbours_end(struct mfc *mfc)
{
    if (mfc->neighbours.walks)
        route_cursor_close(&mfc->neighbours.cursor);
    mfc->neighbours.walks = false;
}

static bool is_at_end(const struct mfc *mfc)
{
    const struct route *next = mfc->neighbours.cursor.next;

    return !next || next->mfc != mfc;
}

bool neighbours_go_on(struct mfc *mfc)
{
    const struct route *route;
    bool again = mfc->neighbours.again;

    for (int i = 0; mfc->neighbours.walks && !is_at_end(mfc) && i < LOOKS_A_STEP; i++)
        if (route_cursor_look(&mfc->neighbours.cursor, &route) && route &&
            settle(mfc, (struct route *)route))
            return true;
    if (mfc->neighbours.walks && !is_at_end(mfc))
        return true;
    neighbours_end(mfc);
    if (again)
        begin(mfc);
    return again;
}

static void settle_within(struct mfc *mfc)
{
    if (mfc->neighbours.walks)
        mfc->neighbours.again = true;
    else
        begin(mfc);
    for (int i = 0; i < STEPS_AT_ONCE; i++)
        if (!neighbours_go_on(mfc))
            return;
    need_work(mfc->mroute);
}

void neighbours_changed(struct mfc *mfc, const struct prefix *group, const struct route *range)
{
    unsigned count = ranges_count_of(&mfc->ranges, group);
    struct beside beside = {mfc, range};

    if (prefix_is_single(group) && count <= ALONE_OR_BOTH)
        ranges_visit_any(&mfc->ranges, group, settle_beside, &beside);
    /* Where the range has another route, none within was alone, nor is. */
    if (!prefix_is_single(group) && count == (range != NULL) && ranges_have_single(&mfc->ranges))
        settle_within(mfc);
}
