"""Wrong answers to `mature` (lab 12).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% a_float
"""the type boolean of `late`"""


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
"""An index that holds a label twice must not matter"""


def mature(scored, now, wait):
    chosen = scored.index[scored["prediction_time"] <= now - wait]
    old = scored.loc[chosen]
    return old.assign(late=old["late"].where(old["label_time"] <= now))


# %% drops_the_score
"""keep its columns"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - wait]
    old = old[["prediction_time", "label_time", "late"]]
    return old.assign(late=old["late"].where(old["label_time"] <= now))


# %% from_the_future
"""A label from the future"""


def mature(scored, now, wait):
    return scored[scored["prediction_time"] <= now - wait]


# %% known_before_now
"""becomes known at this very moment"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - wait]
    return old.assign(late=old["late"].where(old["label_time"] < now))


# %% known_is_on_time
"""a label as it is if it becomes known"""


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
"""only `late` becomes null"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - wait].copy()
    known = old["label_time"] <= now
    old[["late", "label_time"]] = old[["late", "label_time"]].where(known)
    return old


# %% nulls_the_row
"""only `late` becomes null"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - wait]
    return old.where(old["label_time"] <= now)


# %% old_and_labelled
"""one without a label yet, or ever, was dropped"""


def mature(scored, now, wait):
    old = scored["prediction_time"] <= now - wait
    return scored[old & (scored["label_time"] <= now)]


# %% only_later_labels
"""whatever stands there"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - wait]
    return old.assign(late=old["late"].mask(old["label_time"] > now))


# %% sorts
"""in the order of the table"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - wait].sort_index(kind="stable")
    return old.assign(late=old["late"].where(old["label_time"] <= now))


# %% strictly_older
"""at or before now - wait"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] < now - wait]
    return old.assign(late=old["late"].where(old["label_time"] <= now))


# %% waits_ten_hours
"""Use the wait that is asked for"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - pd.Timedelta("10h")]
    return old.assign(late=old["late"].where(old["label_time"] <= now))
