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
