"""The draft lies in another folder"""


import tempfile


def write_atomic(path, content):
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / path.name
        with draft.open("wb", buffering=0) as stream:
            stream.write(content[: len(content) // 2])
            failpoint("checkpoint-half")
            stream.write(content[len(content) // 2 :])
            os.fsync(stream.fileno())
        failpoint("checkpoint-draft")
        os.replace(draft, path)
    failpoint("checkpoint-named")
    place = os.open(path.parent, os.O_RDONLY)
    os.fsync(place)
    os.close(place)
