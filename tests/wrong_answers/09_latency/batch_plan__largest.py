"""Return the size and the bound"""


def batch_plan(cost, rate_s, deadline_ms, most=256):
    able = [n for n in range(1, most + 1) if cost.per_s(n) >= rate_s]
    if not able:
        raise ValueError("no capacity")
    for n in reversed(able):
        worst = 1000 * (n - 1) / rate_s + 2 * cost.ms(n)
        if worst <= deadline_ms:
            return n, worst
    raise ValueError("no batch meets the deadline")
