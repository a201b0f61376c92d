"""also one that only one run has"""


def what_changed(run, other):
    found = set(run) ^ set(other)
    for name in set(run) & set(other):
        same = run[name] == other[name] != "unknown"
        code = run.get("code_sha256", "unknown")
        ruled_out = code == other.get("code_sha256", "unknown") != "unknown"
        if not same and not (name == "git_commit" and ruled_out):
            found.add(name)
    return sorted(found)
