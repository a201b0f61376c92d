"""Wrong answers to `frontier` (lab 09).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% all_of_them
"""A row that is worse in both is beaten"""


def frontier(table, less, more):
    return np.ones(len(table), bool)


# %% wrong_way_round
"""A row that is worse in both is beaten"""


def frontier(table, less, more):
    worth = np.hstack([table[less].to_numpy(), -table[more].to_numpy()])
    return np.array(
        [not ((worth >= row).all(1) & (worth > row).any(1)).any() for row in worth]
    )


# %% best_of_each_column
"""A middle point may be unbeaten"""


def frontier(table, less, more):
    best = [table[name] == table[name].min() for name in less]
    best += [table[name] == table[name].max() for name in more]
    return np.any(best, axis=0)


# %% strictly_better_everywhere
"""Equal in one still beats"""


def frontier(table, less, more):
    worth = np.hstack([-table[less].to_numpy(), table[more].to_numpy()])
    return np.array([not (worth > row).all(1).any() for row in worth], bool)


# %% twins_beat_each_other
"""Equals stay: neither is better anywhere"""


def frontier(table, less, more):
    worth = np.hstack([-table[less].to_numpy(), table[more].to_numpy()])
    return np.array([(worth >= row).all(1).sum() == 1 for row in worth], bool)


# %% first_column_alone
"""Each column of `less` counts by itself"""


def frontier(table, less, more):
    worth = np.hstack([-table[less[:1]].to_numpy(), table[more].to_numpy()])
    return np.array(
        [not ((worth >= row).all(1) & (worth > row).any(1)).any() for row in worth]
    )


# %% looks_at_earlier_rows_only
"""Compare with all rows, later ones too"""


def frontier(table, less, more):
    worth = np.hstack([-table[less].to_numpy(), table[more].to_numpy()])
    kept = []
    for place, row in enumerate(worth):
        before = worth[:place]
        kept.append(not ((before >= row).all(1) & (before > row).any(1)).any())
    return np.array(kept)


# %% ones_and_zeros
"""Return an array of bool"""


def frontier(table, less, more):
    worth = np.hstack([-table[less].to_numpy(), table[more].to_numpy()])
    return np.array(
        [int(not ((worth >= row).all(1) & (worth > row).any(1)).any()) for row in worth]
    )


# %% sums_of_less
"""Each column of `less` counts by itself"""


def frontier(table, less, more):
    cost = table[less].sum(axis=1).to_numpy()[:, None]
    worth = np.hstack([-cost, table[more].to_numpy()])
    return np.array(
        [not ((worth >= row).all(1) & (worth > row).any(1)).any() for row in worth]
    )


# %% sums_of_more
"""Each column of `more` counts by itself"""


def frontier(table, less, more):
    gain = table[more].sum(axis=1).to_numpy()[:, None]
    worth = np.hstack([-table[less].to_numpy(), gain])
    return np.array(
        [not ((worth >= row).all(1) & (worth > row).any(1)).any() for row in worth]
    )


# %% first_of_more
"""Each column of `more` counts by itself"""


def frontier(table, less, more):
    worth = np.hstack([-table[less].to_numpy(), table[more[:1]].to_numpy()])
    return np.array(
        [not ((worth >= row).all(1) & (worth > row).any(1)).any() for row in worth]
    )


# %% one_of_more_is_enough
"""Each column of `more` counts by itself"""


def frontier(table, less, more):
    costs, gains = table[less].to_numpy(), table[more].to_numpy()
    kept = []
    for cost, gain in zip(costs, gains, strict=True):
        enough = (gains >= gain).any(1) if more else True
        better = (costs < cost).any(1) | (gains > gain).any(1)
        kept.append(not ((costs <= cost).all(1) & enough & better).any())
    return np.array(kept)


# %% by_label
"""The index may repeat: go by place"""


def frontier(table, less, more):
    worth = np.hstack([-table[less].to_numpy(), table[more].to_numpy()])
    kept = pd.Series(True, index=table.index)
    for label, row in zip(table.index, worth, strict=True):
        kept[label] = not ((worth >= row).all(1) & (worth > row).any(1)).any()
    return kept.to_numpy()
