"""Wrong answers to `fleet_size` (lab 02).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% average_utilisation
"""An average utilisation does not tell the tail"""


def fleet_size(
    *, qps, service_s, target_s, quantile=0.99, model="M/D/1", batch=1, peak=1, hit_rate=0, spare=1
):
    load = qps * peak * (1 - hit_rate)
    return math.ceil(load * service_s / batch / 0.8) + spare


# %% batch_as_single
"""A batch of eight is one job for eight requests"""


def fleet_size(
    *, qps, service_s, target_s, quantile=0.99, model="M/D/1", batch=1, peak=1, hit_rate=0, spare=1
):
    load = qps * peak * (1 - hit_rate)

    def will_do(n):
        late = response_tail(
            target_s, qps=load, service_s=service_s, servers=n, model=model, batch=1
        )
        return late <= 1 - quantile

    start = math.floor(load * service_s) + 1
    stop = math.ceil(load * service_s / (1 - quantile)) + 2
    found = next((n for n in range(start, stop) if will_do(n)), stop)
    if found >= stop:
        raise ValueError(f"target_s is {target_s}")
    return found + spare


# %% never_refuses
"""raise a ValueError that names"""


def fleet_size(
    *, qps, service_s, target_s, quantile=0.99, model="M/D/1", batch=1, peak=1, hit_rate=0, spare=1
):
    load = qps * peak * (1 - hit_rate)

    def will_do(n):
        late = response_tail(
            target_s, qps=load, service_s=service_s, servers=n, model=model, batch=batch
        )
        return late <= 1 - quantile

    start = math.floor(load * service_s / batch) + 1
    stop = math.ceil(load * service_s / (1 - quantile)) + 2
    found = next((n for n in range(start, stop) if will_do(n)), stop)
    return found + spare


# %% no_cache
"""multiply by 1 - hit_rate"""


def fleet_size(
    *, qps, service_s, target_s, quantile=0.99, model="M/D/1", batch=1, peak=1, hit_rate=0, spare=1
):
    load = qps * peak

    def will_do(n):
        late = response_tail(
            target_s, qps=load, service_s=service_s, servers=n, model=model, batch=batch
        )
        return late <= 1 - quantile

    start = math.floor(load * service_s / batch) + 1
    stop = math.ceil(load * service_s / (1 - quantile)) + 2
    found = next((n for n in range(start, stop) if will_do(n)), stop)
    if found >= stop:
        raise ValueError(f"target_s is {target_s}")
    return found + spare


# %% no_peak
"""multiply the load by peak"""


def fleet_size(
    *, qps, service_s, target_s, quantile=0.99, model="M/D/1", batch=1, peak=1, hit_rate=0, spare=1
):
    load = qps * (1 - hit_rate)

    def will_do(n):
        late = response_tail(
            target_s, qps=load, service_s=service_s, servers=n, model=model, batch=batch
        )
        return late <= 1 - quantile

    start = math.floor(load * service_s / batch) + 1
    stop = math.ceil(load * service_s / (1 - quantile)) + 2
    found = next((n for n in range(start, stop) if will_do(n)), stop)
    if found >= stop:
        raise ValueError(f"target_s is {target_s}")
    return found + spare


# %% no_spare
"""Add the spare servers after the search"""


def fleet_size(
    *, qps, service_s, target_s, quantile=0.99, model="M/D/1", batch=1, peak=1, hit_rate=0, spare=1
):
    load = qps * peak * (1 - hit_rate)

    def will_do(n):
        late = response_tail(
            target_s, qps=load, service_s=service_s, servers=n, model=model, batch=batch
        )
        return late <= 1 - quantile

    start = math.floor(load * service_s / batch) + 1
    stop = math.ceil(load * service_s / (1 - quantile)) + 2
    found = next((n for n in range(start, stop) if will_do(n)), stop)
    if found >= stop:
        raise ValueError(f"target_s is {target_s}")
    return found
