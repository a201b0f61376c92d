"""The second writer replaced the first one's entry"""


def publish(draft, path):
    draft.replace(path)
