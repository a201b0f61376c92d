"""Wrong answers to `mature` (lab 12).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% a_float
"""Keep the type of `late`"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - wait].copy()
    known = old["label_time"] <= now
    old["late"] = np.where(known, old["late"].astype(float), np.nan)
    return old


# %% changes_its_input
"""Never change the input"""


def mature(scored, now, wait):
    scored["late"] = scored["late"].where(scored["label_time"] <= now)
    return scored[scored["prediction_time"] <= now - wait]


# %% chooses_by_index
"""the index holds a label twice"""


def mature(scored, now, wait):
    chosen = scored.index[scored["prediction_time"] <= now - wait]
    old = scored.loc[chosen]
    return old.assign(late=old["late"].where(old["label_time"] <= now))


# %% drops_the_score
"""Keep all columns"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - wait]
    old = old[["prediction_time", "label_time", "late"]]
    return old.assign(late=old["late"].where(old["label_time"] <= now))


# %% from_the_future
"""A label from the future"""


def mature(scored, now, wait):
    return scored[scored["prediction_time"] <= now - wait]


# %% known_before_now
"""known at this very moment is known"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - wait]
    return old.assign(late=old["late"].where(old["label_time"] < now))


# %% known_is_on_time
"""known at this very moment is known"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - wait].copy()
    known = old["label_time"] <= now
    old["late"] = pd.array([False if k else pd.NA for k in known], dtype="boolean")
    return old


# %% labels_that_are_there
"""too young is in"""


def mature(scored, now, wait):
    return scored[scored["label_time"] <= now]


# %% nulls_the_label_time
"""Only `late` changes"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - wait].copy()
    known = old["label_time"] <= now
    old[["late", "label_time"]] = old[["late", "label_time"]].where(known)
    return old


# %% nulls_the_row
"""Only `late` changes"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - wait]
    return old.where(old["label_time"] <= now)


# %% old_and_labelled
"""One without a label yet is the late one"""


def mature(scored, now, wait):
    old = scored["prediction_time"] <= now - wait
    return scored[old & (scored["label_time"] <= now)]


# %% only_later_labels
"""or null, so `late` must be null"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - wait]
    return old.assign(late=old["late"].mask(old["label_time"] > now))


# %% sorts
"""Keep the order and the index"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - wait].sort_index(kind="stable")
    return old.assign(late=old["late"].where(old["label_time"] <= now))


# %% strictly_older
"""at or before now - wait"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] < now - wait]
    return old.assign(late=old["late"].where(old["label_time"] <= now))


# %% waits_ten_hours
"""Use the wait given"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - pd.Timedelta("10h")]
    return old.assign(late=old["late"].where(old["label_time"] <= now))
