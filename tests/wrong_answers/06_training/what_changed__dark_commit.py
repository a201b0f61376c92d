"""Equal code rules the commit out"""


def what_changed(run, other):
    names = set()
    for name in {*run, *other}:
        values = {run.get(name, "unknown"), other.get(name, "unknown")}
        if len(values) > 1 or "unknown" in values:
            names.add(name)
    if run.get("code_sha256", "unknown") == other.get("code_sha256", "unknown") != "unknown" and run.get("git_commit", "unknown") != "unknown":
        names.discard("git_commit")
    return sorted(names)
