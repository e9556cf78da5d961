#include "quantiles.h"

#include "ring/transmit.h"

void quantiles_take(struct quantiles *quantiles, uint64_t value)
{
    quantiles->classes[transmit_bucket_of(value)]++;
    quantiles->count++;
    if (value > quantiles->most)
        quantiles->most = value;
}

uint64_t quantiles_at(const struct quantiles *quantiles, double share)
{
    double wanted = share * (double)quantiles->count;
    uint64_t seen = 0;

    for (unsigned class = 0; class < TRANSMIT_BUCKETS; class ++) {
        seen += quantiles->classes[class];
        if (seen > 0 && (double)seen >= wanted)
            return transmit_bucket_end(class) < quantiles->most ? transmit_bucket_end(class)
                                                                : quantiles->most;
    }
    return quantiles->most;
}
