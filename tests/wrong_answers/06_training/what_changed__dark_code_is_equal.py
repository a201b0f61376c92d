"""An unknown digest of the code shows nothing"""


def what_changed(run, other):
    names = set()
    for name in {*run, *other}:
        values = {run.get(name, "unknown"), other.get(name, "unknown")}
        if len(values) > 1 or "unknown" in values:
            names.add(name)
    if "code_sha256" in run and run["code_sha256"] == other.get("code_sha256"):
        names.discard("git_commit")
    return sorted(names)
