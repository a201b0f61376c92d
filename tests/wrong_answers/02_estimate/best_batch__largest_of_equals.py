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
