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
