"""A delivery of another day is in the answer"""


def sources_of(entries, path):
    for entry in entries:
        if path in [record["path"] for record in entry["add"]]:
            if entry["op"] == "append":
                return [entry["source"]]
            parts = [sources_of(entries, removed) for removed in entry["remove"]]
            return sorted({source for part in parts for source in part})
    return []
