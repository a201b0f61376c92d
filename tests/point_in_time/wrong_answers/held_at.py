"""Wrong answers to `held_at` (lab 04).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% a_new_stretch_at_the_row_that_empties
"""belongs to the old stretch"""


def held_at(code, opens, gone, value, at_code, at):
    rows, asked = len(code), len(at)
    kind = np.repeat([0, 1, 2], [rows, rows, asked])
    time = np.concatenate([gone, opens, at])
    line = np.lexsort((kind, time, np.concatenate([code, code, at_code])))
    change = np.array([-1, 1, 0])[kind]
    amount = change * np.concatenate([value, value, np.zeros(asked)])
    count = np.cumsum(change[line])
    stretch = np.cumsum(count == 0)
    total = pd.Series(amount[line]).groupby(stretch).cumsum().to_numpy()
    place = np.argsort(line)[2 * rows :]
    return count[place], total[place]


# %% any_key
"""no row of another key"""


def held_at(code, opens, gone, value, at_code, at):
    held = (opens <= at[:, None]) & (gone > at[:, None])
    other = ~np.isin(at_code, code)
    held &= (code == at_code[:, None]) | other[:, None]
    return held.sum(axis=1), (held * value).sum(axis=1)


# %% closed_at_the_end
"""out at the very time it goes"""


def held_at(code, opens, gone, value, at_code, at):
    held = (code == at_code[:, None]) & (opens <= at[:, None]) & (gone >= at[:, None])
    return held.sum(axis=1), (held * value).sum(axis=1)


# %% never_out
"""A row that has gone still counts"""


def held_at(code, opens, gone, value, at_code, at):
    held = (code == at_code[:, None]) & (opens <= at[:, None])
    return held.sum(axis=1), (held * value).sum(axis=1)


# %% one_sum_for_all_keys
"""Another key's values are in the balance"""


def held_at(code, opens, gone, value, at_code, at):
    rows, asked = len(code), len(at)
    kind = np.repeat([0, 1, 2], [rows, rows, asked])
    time = np.concatenate([gone, opens, at])
    line = np.lexsort((kind, time, np.concatenate([code, code, at_code])))
    change = np.array([-1, 1, 0])[kind]
    amount = change * np.concatenate([value, value, np.zeros(asked)])
    count, total = np.cumsum(change[line]), np.cumsum(amount[line])
    place = np.argsort(line)[2 * rows :]
    return count[place], total[place]


# %% one_sum_for_each_key
"""A value of long ago is felt"""


def held_at(code, opens, gone, value, at_code, at):
    rows, asked = len(code), len(at)
    kind = np.repeat([0, 1, 2], [rows, rows, asked])
    time = np.concatenate([gone, opens, at])
    key = np.concatenate([code, code, at_code])
    line = np.lexsort((kind, time, key))
    change = np.array([-1, 1, 0])[kind]
    amount = change * np.concatenate([value, value, np.zeros(asked)])
    count = np.cumsum(change[line])
    total = pd.Series(amount[line]).groupby(key[line]).cumsum().to_numpy()
    place = np.argsort(line)[2 * rows :]
    return count[place], total[place]


# %% sorted_once
"""Rows go out in another order than they come in"""


def held_at(code, opens, gone, value, at_code, at):
    count, total = [], []
    for key, time in zip(at_code, at):
        own = np.flatnonzero(code == key)
        own = own[np.argsort(opens[own])]
        came = np.sum(opens[own] <= time)
        went = np.sum(gone[own] <= time)
        count.append(came - went)
        total.append(value[own][went:came].sum())
    return np.array(count), np.array(total)


# %% strictly_after
"""from the very time it comes in"""


def held_at(code, opens, gone, value, at_code, at):
    held = (code == at_code[:, None]) & (opens < at[:, None]) & (gone > at[:, None])
    return held.sum(axis=1), (held * value).sum(axis=1)


# %% unsorted_values
"""Sort the values together with their times"""


def held_at(code, opens, gone, value, at_code, at):
    count, total = [], []
    for key, time in zip(at_code, at):
        own = code == key
        came = np.sum(opens[own] <= time)
        went = np.argsort(np.argsort(gone[own]))[: np.sum(gone[own] <= time)]
        total.append(value[own][:came].sum() - value[own][np.argsort(gone[own])][: len(went)].sum())
        count.append(came - len(went))
    return np.array(count), np.array(total)
