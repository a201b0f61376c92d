"""An average utilisation does not tell the tail"""


def fleet_size(
    *, qps, service_s, target_s, quantile=0.99, model="M/D/1", batch=1, peak=1, hit_rate=0, spare=1
):
    load = qps * peak * (1 - hit_rate)
    return math.ceil(load * service_s / batch / 0.8) + spare
