"""Wrong answers to `swing_ends` (lab 02).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% all_at_once
"""Move one range at a time"""


def swing_ends(estimate, assumptions):
    ranges = {n: v for n, v in assumptions.items() if isinstance(v, tuple)}
    low = estimate(**{**assumptions, **{n: v[0] for n, v in ranges.items()}})
    high = estimate(**{**assumptions, **{n: v[2] for n, v in ranges.items()}})
    return dict.fromkeys(ranges, (low, high))


# %% others_at_their_low_end
"""not at their low end"""


def swing_ends(estimate, assumptions):
    ranges = {n: v for n, v in assumptions.items() if isinstance(v, tuple)}
    middle = {**assumptions, **{n: v[0] for n, v in ranges.items()}}
    ends = {
        n: (estimate(**{**middle, n: v[0]}), estimate(**{**middle, n: v[2]}))
        for n, v in ranges.items()
    }
    return dict(sorted(ends.items(), key=lambda e: min(e[1]) / max(e[1])))


# %% others_in_the_middle_of_their_range
"""Every other range stays at its likely value"""


def swing_ends(estimate, assumptions):
    ranges = {n: v for n, v in assumptions.items() if isinstance(v, tuple)}
    middle = {**assumptions, **{n: (v[0] + v[2]) / 2 for n, v in ranges.items()}}
    ends = {
        n: (estimate(**{**middle, n: v[0]}), estimate(**{**middle, n: v[2]}))
        for n, v in ranges.items()
    }
    return dict(sorted(ends.items(), key=lambda e: min(e[1]) / max(e[1])))


# %% smaller_result_first
"""in this order, even where more of it means less"""


def swing_ends(estimate, assumptions):
    ranges = {n: v for n, v in assumptions.items() if isinstance(v, tuple)}
    middle = {**assumptions, **{n: v[1] for n, v in ranges.items()}}
    ends = {
        n: tuple(
            sorted((estimate(**{**middle, n: v[0]}), estimate(**{**middle, n: v[2]})))
        )
        for n, v in ranges.items()
    }
    return dict(sorted(ends.items(), key=lambda e: min(e[1]) / max(e[1])))


# %% by_difference
"""A difference has a unit"""


def swing_ends(estimate, assumptions):
    ranges = {n: v for n, v in assumptions.items() if isinstance(v, tuple)}
    middle = {**assumptions, **{n: v[1] for n, v in ranges.items()}}
    ends = {
        n: (estimate(**{**middle, n: v[0]}), estimate(**{**middle, n: v[2]}))
        for n, v in ranges.items()
    }
    return dict(sorted(ends.items(), key=lambda e: min(e[1]) - max(e[1])))


# %% high_over_low
"""still the larger over the smaller"""


def swing_ends(estimate, assumptions):
    ranges = {n: v for n, v in assumptions.items() if isinstance(v, tuple)}
    middle = {**assumptions, **{n: v[1] for n, v in ranges.items()}}
    ends = {
        n: (estimate(**{**middle, n: v[0]}), estimate(**{**middle, n: v[2]}))
        for n, v in ranges.items()
    }
    return dict(sorted(ends.items(), key=lambda e: -e[1][1] / e[1][0]))


# %% smallest_first
"""The largest factor comes first"""


def swing_ends(estimate, assumptions):
    ranges = {n: v for n, v in assumptions.items() if isinstance(v, tuple)}
    middle = {**assumptions, **{n: v[1] for n, v in ranges.items()}}
    ends = {
        n: (estimate(**{**middle, n: v[0]}), estimate(**{**middle, n: v[2]}))
        for n, v in ranges.items()
    }
    order = sorted(ends, key=lambda n: max(ends[n]) / min(ends[n]))
    return {n: ends[n] for n in ("d", *[n for n in order if n != "d"])}


# %% everything_that_is_given
"""One entry for each tuple"""


def swing_ends(estimate, assumptions):
    triples = {n: v if isinstance(v, tuple) else (v, v, v) for n, v in assumptions.items()}
    middle = {n: v[1] for n, v in triples.items()}
    ends = {
        n: (estimate(**{**middle, n: v[0]}), estimate(**{**middle, n: v[2]}))
        for n, v in triples.items()
    }
    return dict(sorted(ends.items(), key=lambda e: min(e[1]) / max(e[1])))


# %% not_sorted
"""in descending order"""


def swing_ends(estimate, assumptions):
    ranges = {n: v for n, v in assumptions.items() if isinstance(v, tuple)}
    middle = {**assumptions, **{n: v[1] for n, v in ranges.items()}}
    ends = {
        n: (estimate(**{**middle, n: v[0]}), estimate(**{**middle, n: v[2]}))
        for n, v in ranges.items()
    }
    return ends


# %% ascending
"""in descending order"""


def swing_ends(estimate, assumptions):
    ranges = {n: v for n, v in assumptions.items() if isinstance(v, tuple)}
    middle = {**assumptions, **{n: v[1] for n, v in ranges.items()}}
    ends = {
        n: (estimate(**{**middle, n: v[0]}), estimate(**{**middle, n: v[2]}))
        for n, v in ranges.items()
    }
    return dict(sorted(ends.items(), key=lambda e: max(e[1]) / min(e[1])))


# %% by_the_width_of_the_range
"""not the ends of the range"""


def swing_ends(estimate, assumptions):
    ranges = {n: v for n, v in assumptions.items() if isinstance(v, tuple)}
    middle = {**assumptions, **{n: v[1] for n, v in ranges.items()}}
    ends = {
        n: (estimate(**{**middle, n: v[0]}), estimate(**{**middle, n: v[2]}))
        for n, v in ranges.items()
    }
    order = sorted(ends, key=lambda n: ranges[n][0] / ranges[n][2])
    return {n: ends[n] for n in order}
