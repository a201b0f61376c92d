"""The code differs"""


def what_changed(run, other):
    names = set()
    for name in {*run, *other}:
        values = {run.get(name, "unknown"), other.get(name, "unknown")}
        if len(values) > 1 or "unknown" in values:
            names.add(name)
    if "code_sha256" in run and "code_sha256" in other:
        names.discard("git_commit")
    return sorted(names)
