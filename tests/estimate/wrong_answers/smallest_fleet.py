"""Wrong answers to `smallest_fleet` (lab 02).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% average_utilisation
"""A busy share is no waiting time"""


def smallest_fleet(
    late_share, *, qps, service_s, target_s, quantile=0.99, peak=1, hit_rate=0, spare=1
):
    load = qps * peak * (1 - hit_rate)
    return math.ceil(load * service_s / 0.8) + spare


# %% no_spare
"""Add the spare servers after the search"""


def smallest_fleet(
    late_share, *, qps, service_s, target_s, quantile=0.99, peak=1, hit_rate=0, spare=1
):
    load = qps * peak * (1 - hit_rate)
    start = math.floor(load * service_s) + 1
    for n in range(start, math.ceil(load * service_s / (1 - quantile)) + 2):
        late = late_share(target_s, qps=load, service_s=service_s, servers=n)
        if late <= 1 - quantile:
            return n
    raise ValueError("target_s")


# %% no_peak
"""The busiest hour decides"""


def smallest_fleet(
    late_share, *, qps, service_s, target_s, quantile=0.99, peak=1, hit_rate=0, spare=1
):
    load = qps * (1 - hit_rate)
    start = math.floor(load * service_s) + 1
    for n in range(start, math.ceil(load * service_s / (1 - quantile)) + 2):
        late = late_share(target_s, qps=load, service_s=service_s, servers=n)
        if late <= 1 - quantile:
            return n + spare
    raise ValueError("target_s")


# %% no_cache
"""What the cache answers reaches no server"""


def smallest_fleet(
    late_share, *, qps, service_s, target_s, quantile=0.99, peak=1, hit_rate=0, spare=1
):
    load = qps * peak
    start = math.floor(load * service_s) + 1
    for n in range(start, math.ceil(load * service_s / (1 - quantile)) + 2):
        late = late_share(target_s, qps=load, service_s=service_s, servers=n)
        if late <= 1 - quantile:
            return n + spare
    raise ValueError("target_s")


# %% always_the_p99
"""At most 1 - quantile of the requests may be late"""


def smallest_fleet(
    late_share, *, qps, service_s, target_s, quantile=0.99, peak=1, hit_rate=0, spare=1
):
    load = qps * peak * (1 - hit_rate)
    start = math.floor(load * service_s) + 1
    for n in range(start, math.ceil(load * service_s / 0.01) + 2):
        late = late_share(target_s, qps=load, service_s=service_s, servers=n)
        if late <= 0.01:
            return n + spare
    raise ValueError("target_s")


# %% fully_busy
"""Start with servers that are not fully busy"""


def smallest_fleet(
    late_share, *, qps, service_s, target_s, quantile=0.99, peak=1, hit_rate=0, spare=1
):
    load = qps * peak * (1 - hit_rate)
    for n in range(1, math.ceil(load * service_s / (1 - quantile)) + 2):
        late = late_share(target_s, qps=load, service_s=service_s, servers=n)
        if late <= 1 - quantile:
            return n + spare
    raise ValueError("target_s")


# %% place_in_the_range
"""A busy share is no waiting time"""


def smallest_fleet(
    late_share, *, qps, service_s, target_s, quantile=0.99, peak=1, hit_rate=0, spare=1
):
    load = qps * peak * (1 - hit_rate)

    def will_do(n):
        late = late_share(target_s, qps=load, service_s=service_s, servers=n)
        return late <= 1 - quantile

    start = math.floor(load * service_s) + 1
    stop = math.ceil(load * service_s / (1 - quantile)) + 2
    return bisect_left(range(start, stop), True, key=will_do) + spare


# %% never_refuses
"""No fleet answers sooner than its service takes"""


def smallest_fleet(
    late_share, *, qps, service_s, target_s, quantile=0.99, peak=1, hit_rate=0, spare=1
):
    load = qps * peak * (1 - hit_rate)
    servers = math.floor(load * service_s) + 1
    while late_share(target_s, qps=load, service_s=service_s, servers=servers) > 1 - quantile:
        servers += 1
    return servers + spare


# %% refuses_without_a_name
"""No fleet answers sooner than its service takes"""


def smallest_fleet(
    late_share, *, qps, service_s, target_s, quantile=0.99, peak=1, hit_rate=0, spare=1
):
    load = qps * peak * (1 - hit_rate)
    start = math.floor(load * service_s) + 1
    for n in range(start, math.ceil(load * service_s / (1 - quantile)) + 2):
        late = late_share(target_s, qps=load, service_s=service_s, servers=n)
        if late <= 1 - quantile:
            return n + spare
    raise ValueError("impossible")


# %% fifty_more_at_most
"""search to the bound"""


def smallest_fleet(
    late_share, *, qps, service_s, target_s, quantile=0.99, peak=1, hit_rate=0, spare=1
):
    load = qps * peak * (1 - hit_rate)
    start = math.floor(load * service_s) + 1
    for n in range(start, start + 50):
        late = late_share(target_s, qps=load, service_s=service_s, servers=n)
        if late <= 1 - quantile:
            return n + spare
    raise ValueError("target_s")


# %% refuses_below_the_service_only
"""a target above service_s may be out of reach"""


def smallest_fleet(
    late_share, *, qps, service_s, target_s, quantile=0.99, peak=1, hit_rate=0, spare=1
):
    if target_s < service_s:
        raise ValueError(f"target_s is {target_s}")
    load = qps * peak * (1 - hit_rate)
    stop = math.ceil(load * service_s / (1 - quantile)) + 2
    servers = math.floor(load * service_s) + 1
    while servers < stop:
        late = late_share(target_s, qps=load, service_s=service_s, servers=servers)
        if late <= 1 - quantile:
            break
        servers += 1
    return servers + spare


# %% refuses_below_the_service_and_searches_on
"""No fleet answers sooner"""


def smallest_fleet(
    late_share, *, qps, service_s, target_s, quantile=0.99, peak=1, hit_rate=0, spare=1
):
    if target_s < service_s:
        raise ValueError(f"target_s is {target_s}")
    load = qps * peak * (1 - hit_rate)
    servers = math.floor(load * service_s) + 1
    while (
        late_share(target_s, qps=load, service_s=service_s, servers=servers)
        > 1 - quantile
    ):
        servers += 1
    return servers + spare


# %% only_the_hits
"""1 - hit_rate"""


def smallest_fleet(
    late_share, *, qps, service_s, target_s, quantile=0.99, peak=1, hit_rate=0, spare=1
):
    load = qps * peak * hit_rate
    start = math.floor(load * service_s) + 1
    for n in range(start, math.ceil(load * service_s / (1 - quantile)) + 2):
        late = late_share(target_s, qps=load, service_s=service_s, servers=n)
        if late <= 1 - quantile:
            return n + spare
    raise ValueError("target_s")


# %% hits_off_the_average
"""The cache answers its share at the peak"""


def smallest_fleet(
    late_share, *, qps, service_s, target_s, quantile=0.99, peak=1, hit_rate=0, spare=1
):
    load = qps * peak - qps * hit_rate
    start = math.floor(load * service_s) + 1
    for n in range(start, math.ceil(load * service_s / (1 - quantile)) + 2):
        late = late_share(target_s, qps=load, service_s=service_s, servers=n)
        if late <= 1 - quantile:
            return n + spare
    raise ValueError("target_s")


# %% a_thousand_servers_at_most
"""The bound of the search grows with load"""


def smallest_fleet(
    late_share, *, qps, service_s, target_s, quantile=0.99, peak=1, hit_rate=0, spare=1
):
    load = qps * peak * (1 - hit_rate)
    for n in range(math.floor(load * service_s) + 1, 1_000):
        late = late_share(target_s, qps=load, service_s=service_s, servers=n)
        if late <= 1 - quantile:
            return n + spare
    raise ValueError("target_s")


# %% a_thousand_more_at_most
"""The bound of the search grows with load"""


def smallest_fleet(
    late_share, *, qps, service_s, target_s, quantile=0.99, peak=1, hit_rate=0, spare=1
):
    load = qps * peak * (1 - hit_rate)
    start = math.floor(load * service_s) + 1
    for n in range(start, start + 1_000):
        late = late_share(target_s, qps=load, service_s=service_s, servers=n)
        if late <= 1 - quantile:
            return n + spare
    raise ValueError("target_s")


# %% bisects_to_ten_thousand
"""The bound of the search grows with load"""


def smallest_fleet(
    late_share, *, qps, service_s, target_s, quantile=0.99, peak=1, hit_rate=0, spare=1
):
    load = qps * peak * (1 - hit_rate)
    low, high = math.floor(load * service_s) + 1, 10_000
    while low < high:
        middle = (low + high) // 2
        late = late_share(target_s, qps=load, service_s=service_s, servers=middle)
        if late <= 1 - quantile:
            high = middle
        else:
            low = middle + 1
    if low >= 10_000:
        raise ValueError(f"target_s is {target_s}")
    return low + spare
