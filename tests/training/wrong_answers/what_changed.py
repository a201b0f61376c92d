"""Wrong answers to `what_changed` (lab 06).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% code_in_both
"""Other code clears nothing"""


def what_changed(run, other):
    names = set()
    for name in {*run, *other}:
        values = {run.get(name, "unknown"), other.get(name, "unknown")}
        if len(values) > 1 or "unknown" in values:
            names.add(name)
    if "code_sha256" in run and "code_sha256" in other:
        names.discard("git_commit")
    return sorted(names)


# %% code_in_one
"""One run has no digest of its code"""


def what_changed(run, other):
    names = set()
    for name in {*run, *other}:
        values = {run.get(name, "unknown"), other.get(name, "unknown")}
        if len(values) > 1 or "unknown" in values:
            names.add(name)
    if run.get("code_sha256", "unknown") == other.get("code_sha256", run.get("code_sha256")) != "unknown":
        names.discard("git_commit")
    return sorted(names)


# %% commit_always
"""Equal code clears the commit"""


def what_changed(run, other):
    changed = []
    for name in sorted({*run, *other}):
        values = {run.get(name, "unknown"), other.get(name, "unknown")}
        if len(values) > 1 or "unknown" in values:
            changed.append(name)
    return changed


# %% commit_never
"""Without a digest of the code it is a suspect"""


def what_changed(run, other):
    changed = []
    for name in sorted({*run, *other} - {"git_commit"}):
        values = {run.get(name, "unknown"), other.get(name, "unknown")}
        if len(values) > 1 or "unknown" in values:
            changed.append(name)
    return changed


# %% dark_code_is_equal
"""Unknown code clears no commit"""


def what_changed(run, other):
    names = set()
    for name in {*run, *other}:
        values = {run.get(name, "unknown"), other.get(name, "unknown")}
        if len(values) > 1 or "unknown" in values:
            names.add(name)
    if "code_sha256" in run and run["code_sha256"] == other.get("code_sha256"):
        names.discard("git_commit")
    return sorted(names)


# %% dark_commit
"""that nobody wrote down"""


def what_changed(run, other):
    names = set()
    for name in {*run, *other}:
        values = {run.get(name, "unknown"), other.get(name, "unknown")}
        if len(values) > 1 or "unknown" in values:
            names.add(name)
    if run.get("code_sha256", "unknown") == other.get("code_sha256", "unknown") != "unknown" and run.get("git_commit", "unknown") != "unknown":
        names.discard("git_commit")
    return sorted(names)


# %% dirty_differs
"""-dirty or not"""


def what_changed(run, other):
    def proven(name):
        mine, theirs = run.get(name, "unknown"), other.get(name, "unknown")
        if name == "git_commit" and mine.endswith("-dirty"):
            return False
        return mine == theirs != "unknown"

    suspects = {name for name in {*run, *other} if not proven(name)}
    return sorted(suspects - ({"git_commit"} if proven("code_sha256") else set()))


# %% lone_commit
"""Equal code clears a commit that only one run has"""


def what_changed(run, other):
    found = set(run) ^ set(other)
    for name in set(run) & set(other):
        same = run[name] == other[name] != "unknown"
        code = run.get("code_sha256", "unknown")
        ruled_out = code == other.get("code_sha256", "unknown") != "unknown"
        if not same and not (name == "git_commit" and ruled_out):
            found.add(name)
    return sorted(found)


# %% names_of_the_first
"""A name that only the other run has counts"""


def what_changed(run, other):
    return sorted(name for name in run if run[name] != other.get(name))


# %% shared_names_only
"""A name that only one run has"""


def what_changed(run, other):
    changed = [n for n in run if n in other and run[n] != other[n]]
    return sorted(changed)


# %% unknown_is_equal
"""Unknown in both runs is not the same in both"""


def what_changed(run, other):
    return sorted(n for n in {*run, *other} if run.get(n) != other.get(n))


# %% a_set
"""Return a list, not a set"""


def what_changed(run, other):
    def proven(name):
        return run.get(name, "unknown") == other.get(name, "unknown") != "unknown"

    suspects = {name for name in {*run, *other} if not proven(name)}
    return suspects - ({"git_commit"} if proven("code_sha256") else set())
