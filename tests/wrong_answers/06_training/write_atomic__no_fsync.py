"""Call os.fsync on the open draft first"""


def write_atomic(path, content):
    draft = path.with_suffix(".draft")
    draft.write_bytes(content)
    failpoint("checkpoint-half")
    failpoint("checkpoint-draft")
    os.replace(draft, path)
    failpoint("checkpoint-named")
