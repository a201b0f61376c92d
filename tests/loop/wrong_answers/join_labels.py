"""Wrong answers to `join_labels` (lab 13).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% changes_its_input
"""Never change the inputs"""


def join_labels(answers, labels, now, wait):
    labels.sort_values("available_at", kind="stable", inplace=True)
    known = labels[labels["available_at"] <= now]
    newest = known.drop_duplicates("id", keep="last").set_index("id")["late"]
    once = answers.drop_duplicates("id")
    late = once["id"].map(newest).astype("boolean")
    return once.assign(late=late, mature=once["due_at"] + wait <= now)


# %% counts_an_answer_twice
"""Each answer once"""


def join_labels(answers, labels, now, wait):
    known = labels[labels["available_at"] <= now].sort_values("available_at")
    newest = known.drop_duplicates("id", keep="last").set_index("id")["late"]
    late = answers["id"].map(newest).astype("boolean")
    return answers.assign(late=late, mature=answers["due_at"] + wait <= now)


# %% drops_what_has_no_label
"""An answer went missing"""


def join_labels(answers, labels, now, wait):
    known = labels[labels["available_at"] <= now].sort_values("available_at")
    newest = known.drop_duplicates("id", keep="last")[["id", "late"]]
    joined = answers.drop_duplicates("id").merge(newest, on="id")
    return joined.assign(mature=joined["due_at"] + wait <= now)


# %% drops_what_is_not_mature
"""An answer went missing"""


def join_labels(answers, labels, now, wait):
    once = answers.drop_duplicates("id")
    once = once[once["due_at"] + wait <= now]
    known = labels[labels["available_at"] <= now].sort_values("available_at")
    newest = known.drop_duplicates("id", keep="last").set_index("id")["late"]
    late = once["id"].map(newest).astype("boolean")
    return once.assign(late=late, mature=True)


# %% first_label_wins
"""A was corrected"""


def join_labels(answers, labels, now, wait):
    once = answers.drop_duplicates("id")
    known = labels[labels["available_at"] <= now].sort_values("available_at")
    first = known.drop_duplicates("id").set_index("id")["late"]
    late = once["id"].map(first).astype("boolean")
    return once.assign(late=late, mature=once["due_at"] + wait <= now)


# %% forgets_to_sort
"""A was corrected"""


def join_labels(answers, labels, now, wait):
    once = answers.drop_duplicates("id")
    known = labels[labels["available_at"] <= now]
    newest = known.drop_duplicates("id", keep="last").set_index("id")["late"]
    late = once["id"].map(newest).astype("boolean")
    return once.assign(late=late, mature=once["due_at"] + wait <= now)


# %% from_the_future
"""B's label comes later"""


def join_labels(answers, labels, now, wait):
    once = answers.drop_duplicates("id")
    known = labels.sort_values("available_at")
    newest = known.drop_duplicates("id", keep="last").set_index("id")["late"]
    late = once["id"].map(newest).astype("boolean")
    return once.assign(late=late, mature=once["due_at"] + wait <= now)


# %% labels_that_have_come_in
"""Mature by age alone"""


def join_labels(answers, labels, now, wait):
    once = answers.drop_duplicates("id")
    known = labels[labels["available_at"] <= now].sort_values("available_at")
    newest = known.drop_duplicates("id", keep="last").set_index("id")["late"]
    late = once["id"].map(newest).astype("boolean")
    return once.assign(late=late, mature=late.notna())


# %% last_answer_wins
"""Each answer once"""


def join_labels(answers, labels, now, wait):
    once = answers.drop_duplicates("id", keep="last")
    known = labels[labels["available_at"] <= now].sort_values("available_at")
    newest = known.drop_duplicates("id", keep="last").set_index("id")["late"]
    late = once["id"].map(newest).astype("boolean")
    return once.assign(late=late, mature=once["due_at"] + wait <= now)


# %% loses_the_index
"""Keep the index"""


def join_labels(answers, labels, now, wait):
    once = answers.drop_duplicates("id").reset_index(drop=True)
    known = labels[labels["available_at"] <= now].sort_values("available_at")
    newest = known.drop_duplicates("id", keep="last").set_index("id")["late"]
    late = once["id"].map(newest).astype("boolean")
    return once.assign(late=late, mature=once["due_at"] + wait <= now)


# %% mature_by_the_label
"""Mature by age alone"""


def join_labels(answers, labels, now, wait):
    once = answers.drop_duplicates("id")
    known = labels[labels["available_at"] <= now].sort_values("available_at")
    newest = known.drop_duplicates("id", keep="last").set_index("id")
    late = once["id"].map(newest["late"]).astype("boolean")
    came = once["id"].map(newest["available_at"])
    return once.assign(late=late, mature=came.notna() & (came >= once["due_at"]))


# %% missing_is_on_time
"""neither late nor on time"""


def join_labels(answers, labels, now, wait):
    once = answers.drop_duplicates("id")
    known = labels[labels["available_at"] <= now].sort_values("available_at")
    newest = known.drop_duplicates("id", keep="last").set_index("id")["late"]
    late = once["id"].map(newest).astype("boolean").fillna(False)
    return once.assign(late=late, mature=once["due_at"] + wait <= now)


# %% numbers
"""dtype boolean"""


def join_labels(answers, labels, now, wait):
    once = answers.drop_duplicates("id")
    known = labels[labels["available_at"] <= now].sort_values("available_at")
    newest = known.drop_duplicates("id", keep="last").set_index("id")["late"]
    late = once["id"].map(newest.astype(float))
    return once.assign(late=late, mature=once["due_at"] + wait <= now)


# %% strictly_before
"""at this very moment"""


def join_labels(answers, labels, now, wait):
    once = answers.drop_duplicates("id")
    known = labels[labels["available_at"] < now].sort_values("available_at")
    newest = known.drop_duplicates("id", keep="last").set_index("id")["late"]
    late = once["id"].map(newest).astype("boolean")
    return once.assign(late=late, mature=once["due_at"] + wait <= now)


# %% strictly_older
"""Mature by age alone"""


def join_labels(answers, labels, now, wait):
    once = answers.drop_duplicates("id")
    known = labels[labels["available_at"] <= now].sort_values("available_at")
    newest = known.drop_duplicates("id", keep="last").set_index("id")["late"]
    late = once["id"].map(newest).astype("boolean")
    return once.assign(late=late, mature=once["due_at"] + wait < now)


# %% waits_a_day
"""Use the wait given"""


def join_labels(answers, labels, now, wait):
    once = answers.drop_duplicates("id")
    known = labels[labels["available_at"] <= now].sort_values("available_at")
    newest = known.drop_duplicates("id", keep="last").set_index("id")["late"]
    late = once["id"].map(newest).astype("boolean")
    mature = once["due_at"] + pd.Timedelta("12h") <= now
    return once.assign(late=late, mature=mature)


# %% hides_what_is_young
"""D is young, and its label is known"""


def join_labels(answers, labels, now, wait):
    once = answers.drop_duplicates("id")
    known = labels[labels["available_at"] <= now].sort_values("available_at")
    newest = known.drop_duplicates("id", keep="last").set_index("id")["late"]
    mature = once["due_at"] + wait <= now
    late = once["id"].map(newest).astype("boolean").where(mature)
    return once.assign(late=late, mature=mature)


# %% returns_nothing
"""Return the answers as a data frame"""


def join_labels(answers, labels, now, wait):
    known = labels[labels["available_at"] <= now].sort_values("available_at")
    newest = known.drop_duplicates("id", keep="last").set_index("id")["late"]
    answers.drop_duplicates("id").assign(late=lambda rows: rows["id"].map(newest))
