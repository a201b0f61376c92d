"""Wrong answers to `reconcile` (lab 08).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% counts_lines
"""repeats hide losses"""


def reconcile(answers, log):
    lines = log[~log["shadow"].astype(bool)]
    both = answers.merge(lines, on="request_id", suffixes=("", "_log"))
    differ = (both["score"] != both["score_log"]).sum()
    return {
        "missing": max(len(answers) - len(lines), 0),
        "differ": int(differ),
        "repeated": int(lines["request_id"].duplicated().sum()),
    }


# %% keeps_shadows
"""That line is a shadow's, which answered nobody"""


def reconcile(answers, log):
    same = ["request_id", "model", "version", "score"]
    logged = answers["request_id"].isin(log["request_id"])
    agreed = pd.MultiIndex.from_frame(answers[same]).isin(
        pd.MultiIndex.from_frame(log[same])
    )
    return {
        "missing": int((~logged).sum()),
        "differ": int((logged & ~agreed).sum()),
        "repeated": int(log["request_id"].duplicated().sum()),
    }


# %% shadows_are_repeats
"""A shadow's line is no repeat"""


def reconcile(answers, log):
    lines = log[~log["shadow"].astype(bool)]
    same = ["request_id", "model", "version", "score"]
    logged = answers["request_id"].isin(lines["request_id"])
    agreed = pd.MultiIndex.from_frame(answers[same]).isin(
        pd.MultiIndex.from_frame(lines[same])
    )
    return {
        "missing": int((~logged).sum()),
        "differ": int((logged & ~agreed).sum()),
        "repeated": int(log["request_id"].duplicated().sum()),
    }


# %% inner_merge
"""An answer without a line is missing: keep it when you join"""


def reconcile(answers, log):
    lines = log[~log["shadow"].astype(bool)]
    once = lines.drop_duplicates("request_id", keep="last")
    both = answers.merge(once, on="request_id", suffixes=("", "_log"))
    return {
        "missing": int(both["score_log"].isna().sum()),
        "differ": int((both["score"] != both["score_log"]).sum()),
        "repeated": int(lines["request_id"].duplicated().sum()),
    }


# %% ids_alone
"""Another score under the same id: it differs"""


def reconcile(answers, log):
    lines = log[~log["shadow"].astype(bool)]
    logged = answers["request_id"].isin(lines["request_id"])
    return {
        "missing": int((~logged).sum()),
        "differ": 0,
        "repeated": int(lines["request_id"].duplicated().sum()),
    }


# %% whole_rows
"""Another score under the same id: it differs"""


def reconcile(answers, log):
    lines = log[~log["shadow"].astype(bool)]
    same = ["request_id", "model", "version", "score"]
    agreed = pd.MultiIndex.from_frame(answers[same]).isin(
        pd.MultiIndex.from_frame(lines[same])
    )
    return {
        "missing": int((~agreed).sum()),
        "differ": 0,
        "repeated": int(lines["request_id"].duplicated().sum()),
    }


# %% scores_alone
"""Another version under the same id: it differs"""


def reconcile(answers, log):
    lines = log[~log["shadow"].astype(bool)]
    same = ["request_id", "score"]
    logged = answers["request_id"].isin(lines["request_id"])
    agreed = pd.MultiIndex.from_frame(answers[same]).isin(
        pd.MultiIndex.from_frame(lines[same])
    )
    return {
        "missing": int((~logged).sum()),
        "differ": int((logged & ~agreed).sum()),
        "repeated": int(lines["request_id"].duplicated().sum()),
    }


# %% first_line_alone
"""One of its lines agrees: it repeats, nothing differs"""


def reconcile(answers, log):
    lines = log[~log["shadow"].astype(bool)]
    once = lines.drop_duplicates("request_id")
    both = answers.merge(once, on="request_id", how="left", suffixes=("", "_log"))
    missing = both["score_log"].isna()
    differ = pd.Series(False, index=both.index)
    for name in ("model", "version", "score"):
        differ |= both[name] != both[f"{name}_log"]
    return {
        "missing": int(missing.sum()),
        "differ": int((differ & ~missing).sum()),
        "repeated": int(lines["request_id"].duplicated().sum()),
    }


# %% every_pair
"""One of its lines agrees: it repeats, nothing differs"""


def reconcile(answers, log):
    lines = log[~log["shadow"].astype(bool)]
    both = answers.merge(lines, on="request_id", how="left", suffixes=("", "_log"))
    missing = both["score_log"].isna()
    differ = pd.Series(False, index=both.index)
    for name in ("model", "version", "score"):
        differ |= both[name] != both[f"{name}_log"]
    return {
        "missing": int(missing.sum()),
        "differ": int((differ & ~missing).sum()),
        "repeated": int(lines["request_id"].duplicated().sum()),
    }


# %% outer_merge
"""A line without an answer is no loss"""


def reconcile(answers, log):
    lines = log[~log["shadow"].astype(bool)]
    same = ["request_id", "model", "version", "score"]
    agreed = pd.MultiIndex.from_frame(answers[same]).isin(
        pd.MultiIndex.from_frame(lines[same])
    )
    logged = answers["request_id"].isin(lines["request_id"])
    strangers = ~lines["request_id"].isin(answers["request_id"])
    return {
        "missing": int((~logged).sum() + strangers.sum()),
        "differ": int((logged & ~agreed).sum()),
        "repeated": int(lines["request_id"].duplicated().sum()),
    }


# %% counts_joined_rows
"""Two of its lines differ: one answer, and one repeat"""


def reconcile(answers, log):
    lines = log[~log["shadow"]]
    same = ["model", "version", "score"]
    logged = answers["request_id"].isin(lines["request_id"])
    both = answers.merge(lines, on="request_id", suffixes=("", "_log"))
    agrees = pd.Series(True, index=both.index)
    for name in same:
        agrees &= both[name] == both[f"{name}_log"]
    held = both.loc[agrees, "request_id"]
    return {
        "missing": int((~logged).sum()),
        "differ": int((~both["request_id"].isin(held)).sum()),
        "repeated": int(lines["request_id"].duplicated().sum()),
    }


# %% ids_that_repeat
"""Three lines of one request: two are repeats"""


def reconcile(answers, log):
    lines = log[~log["shadow"]]
    same = ["request_id", "model", "version", "score"]
    logged = answers["request_id"].isin(lines["request_id"])
    agreed = pd.MultiIndex.from_frame(answers[same]).isin(
        pd.MultiIndex.from_frame(lines[same])
    )
    return {
        "missing": int((~logged).sum()),
        "differ": int((logged & ~agreed).sum()),
        "repeated": int((lines["request_id"].value_counts() > 1).sum()),
    }


# %% repeats_of_answers_alone
"""A request without an answer is repeated, too"""


def reconcile(answers, log):
    lines = log[~log["shadow"]]
    lines = lines[lines["request_id"].isin(answers["request_id"])]
    same = ["request_id", "model", "version", "score"]
    logged = answers["request_id"].isin(lines["request_id"])
    agreed = pd.MultiIndex.from_frame(answers[same]).isin(
        pd.MultiIndex.from_frame(lines[same])
    )
    return {
        "missing": int((~logged).sum()),
        "differ": int((logged & ~agreed).sum()),
        "repeated": int(lines["request_id"].duplicated().sum()),
    }


# %% last_line_alone
"""One of its lines agrees: it repeats, nothing differs"""


def reconcile(answers, log):
    lines = log[~log["shadow"].astype(bool)]
    once = lines.drop_duplicates("request_id", keep="last")
    both = answers.merge(once, on="request_id", how="left", suffixes=("", "_log"))
    missing = both["score_log"].isna()
    differ = pd.Series(False, index=both.index)
    for name in ("model", "version", "score"):
        differ |= both[name] != both[f"{name}_log"]
    return {
        "missing": int(missing.sum()),
        "differ": int((differ & ~missing).sum()),
        "repeated": int(lines["request_id"].duplicated().sum()),
    }


# %% nearly_the_same_score
"""A score that is near is another"""


def reconcile(answers, log):
    lines = log[~log["shadow"].astype(bool)]
    missing = differ = 0
    for answer in answers.itertuples():
        mine = lines[lines["request_id"] == answer.request_id]
        same = (mine["model"] == answer.model) & (mine["version"] == answer.version)
        near = (mine["score"] - answer.score).abs() < 1e-6
        missing += mine.empty
        differ += bool(len(mine)) and not (same & near).any()
    return {
        "missing": int(missing),
        "differ": int(differ),
        "repeated": int(lines["request_id"].duplicated().sum()),
    }
