"""follow the chain to its beginning"""


def sources_of(entries, path):
    added = {record["path"]: entry for entry in entries for record in entry["add"]}
    entry = added[path]
    if entry["op"] == "append":
        return [entry["source"]]
    folder = path.rsplit("/", 1)[0]
    parts = [added[p] for p in entry["remove"] if p.rsplit("/", 1)[0] == folder]
    return sorted({part["source"] for part in parts if part["op"] == "append"})
