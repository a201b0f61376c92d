"""Two equal commits count as equal here"""


def what_changed(run, other):
    def proven(name):
        mine, theirs = run.get(name, "unknown"), other.get(name, "unknown")
        if name == "git_commit" and mine.endswith("-dirty"):
            return False
        return mine == theirs != "unknown"

    suspects = {name for name in {*run, *other} if not proven(name)}
    return sorted(suspects - ({"git_commit"} if proven("code_sha256") else set()))
