#include "goose_pace.h"

#define MS UINT64_C(1000000)

uint64_t goose_gap(const struct goose_pace *pace, uint32_t sq_num)
{
    uint64_t gap = pace->shortest;

    for (uint32_t i = 0; i < sq_num && gap < pace->longest; i++)
        gap *= 2;
    return gap < pace->longest ? gap : pace->longest;
}

uint32_t goose_life(const struct goose_pace *pace, uint32_t sq_num)
{
    uint64_t gap = goose_gap(pace, sq_num), ms = (gap + MS - 1) / MS;

    return ms < UINT32_MAX / pace->life ? (uint32_t)ms * pace->life : UINT32_MAX;
}

uint32_t goose_next_sq(uint32_t sq_num)
{
    return sq_num == UINT32_MAX ? 1 : sq_num + 1;
}
