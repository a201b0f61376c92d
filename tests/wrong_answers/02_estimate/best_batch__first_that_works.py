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
