"""a size that just keeps up"""


def batch_plan(cost, rate_s, deadline_ms, most=256):
    able = [n for n in range(1, most + 1) if cost.per_s(n) > rate_s]
    if not able:
        raise ValueError("no capacity")
    n = able[0]
    bound = 1000 * (n - 1) / rate_s + 2 * cost.ms(n)
    if bound > deadline_ms:
        raise ValueError("over the deadline")
    return n, bound
