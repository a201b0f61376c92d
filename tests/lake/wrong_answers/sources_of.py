"""Wrong answers to `sources_of` (lab 03).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% all_removed
"""A delivery of another day is in the answer"""


def sources_of(entries, path):
    for entry in entries:
        if path in [record["path"] for record in entry["add"]]:
            if entry["op"] == "append":
                return [entry["source"]]
            parts = [sources_of(entries, removed) for removed in entry["remove"]]
            return sorted({source for part in parts for source in part})
    return []


# %% first_entry_only
"""No source for a compacted file"""


def sources_of(entries, path):
    found = [
        entry["source"]
        for entry in entries
        if entry["op"] == "append" and path in [record["path"] for record in entry["add"]]
    ]
    return sorted(set(found))


# %% one_step
"""follow the chain to its beginning"""


def sources_of(entries, path):
    added = {record["path"]: entry for entry in entries for record in entry["add"]}
    entry = added[path]
    if entry["op"] == "append":
        return [entry["source"]]
    folder = path.rsplit("/", 1)[0]
    parts = [added[p] for p in entry["remove"] if p.rsplit("/", 1)[0] == folder]
    return sorted({part["source"] for part in parts if part["op"] == "append"})


# %% whole_folder
"""Another file of the same folder was left alone"""


def sources_of(entries, path):
    folder = path.rsplit("/", 1)[0]
    sources = set()
    for entry in entries:
        added = [file["path"] for file in entry["add"]]
        if entry["op"] == "append" and any(p.rsplit("/", 1)[0] == folder for p in added):
            sources.add(entry["source"])
        if path in added:
            return [entry["source"]] if entry["op"] == "append" else sorted(sources)
