#include "quantiles.h"

#include "ring/transmit.h"

void quantiles_take(struct quantiles *quantiles, uint64_t value)
{
    quantiles->histogram[transmit_bucket_of(value)]++;
    if (value > quantiles->most)
        quantiles->most = value;
}

uint64_t quantiles_at(const struct quantiles *quantiles, uint64_t millionths)
{
    return transmit_quantile(quantiles->histogram, quantiles->most, millionths);
}
