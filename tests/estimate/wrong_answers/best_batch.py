"""Wrong answers to `best_batch` (lab 02).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% drops_the_rest
"""Pass **fleet on to fleet_size"""


def best_batch(*, qps, target_s, fixed_s, per_item_s, largest=32, **fleet):
    found = []
    for batch in range(1, largest + 1):
        service_s = fixed_s + per_item_s * batch
        try:
            given = {"qps": qps, "target_s": target_s, "batch": batch, "spare": 0}
            found.append((fleet_size(service_s=service_s, **given), batch))
        except ValueError:
            continue
    if not found:
        raise ValueError("target_s")
    return min(found)[::-1]


# %% first_that_works
"""take the fewest servers"""


def best_batch(*, qps, target_s, fixed_s, per_item_s, largest=32, **fleet):
    for batch in range(1, largest + 1):
        service_s = fixed_s + per_item_s * batch
        try:
            given = {"qps": qps, "target_s": target_s, "batch": batch, **fleet}
            return batch, fleet_size(service_s=service_s, **given)
        except ValueError:
            continue
    raise ValueError("target_s")


# %% largest_of_equals
"""take the smallest"""


def best_batch(*, qps, target_s, fixed_s, per_item_s, largest=32, **fleet):
    found = []
    for batch in range(1, largest + 1):
        service_s = fixed_s + per_item_s * batch
        try:
            given = {"qps": qps, "target_s": target_s, "batch": batch, **fleet}
            found.append((fleet_size(service_s=service_s, **given), -batch))
        except ValueError:
            continue
    if not found:
        raise ValueError("target_s")
    servers, batch = min(found)
    return -batch, servers


# %% no_fill_time
"""fleet_size gets batch=n beside it"""


def best_batch(*, qps, target_s, fixed_s, per_item_s, largest=32, **fleet):
    found = []
    for batch in range(1, largest + 1):
        share_s = (fixed_s + per_item_s * batch) / batch
        try:
            found.append((fleet_size(qps=qps, target_s=target_s, service_s=share_s, **fleet), batch))
        except ValueError:
            continue
    if not found:
        raise ValueError("target_s")
    return min(found)[::-1]
