"""The rename came before the bytes were safe"""


def write_atomic(path, content):
    draft = path.with_suffix(".draft")
    with draft.open("wb", buffering=0) as stream:
        stream.write(content)
        failpoint("checkpoint-half")
        failpoint("checkpoint-draft")
        os.replace(draft, path)
        os.fsync(stream.fileno())
    failpoint("checkpoint-named")
