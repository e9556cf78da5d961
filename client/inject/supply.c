#include "supply.h"

static enum supply_next end_pass(struct supply *supply)
{
    bool is_last = supply->passes && supply->pass + 1 >= supply->passes;

    if (is_last || supply->given == 0) /* a file without frames has no end of passes */
        return SUPPLY_END;
    if (savefile_source_again(supply->source) < 0)
        return SUPPLY_ONCE;
    supply->pass++;
    supply->number = 0;
    return SUPPLY_PASS;
}

static bool is_cut(struct supply *supply, const struct savefile_source_frame *frame)
{
    if (frame->cut == 0)
        return false;
    if (supply->cut++ == 0)
        supply->first_cut = supply->number;
    return true;
}

enum supply_next supply_next(struct supply *supply, struct savefile_source_frame *ret)
{
    for (;;) {
        if (supply->limit && supply->given >= supply->limit)
            return SUPPLY_END;
        switch (savefile_source_next(supply->source, ret)) {
        case SAVEFILE_SOURCE_FRAME:
            supply->number++;
            if (is_cut(supply, ret))
                break;
            supply->given++;
            return SUPPLY_FRAME;
        case SAVEFILE_SOURCE_END:
            return end_pass(supply);
        case SAVEFILE_SOURCE_WAIT:
            return SUPPLY_WAIT;
        case SAVEFILE_SOURCE_BROKEN:
            return SUPPLY_BROKEN;
        }
    }
}
