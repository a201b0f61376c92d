"""No source for a compacted file"""


def sources_of(entries, path):
    found = [
        entry["source"]
        for entry in entries
        if entry["op"] == "append" and path in [record["path"] for record in entry["add"]]
    ]
    return sorted(set(found))
