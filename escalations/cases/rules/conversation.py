"""The conversation part of a brief: three lists with headings, kept as one readable text."""

HEADS = {"risks": "Risks", "talking_points": "Talking points", "desired_outcome": "Desired outcome"}
_NAMES = {f"{head.lower()}:": name for name, head in HEADS.items()}


def join(lists: dict[str, str]) -> str:
    """One text from the lists that are not empty, each below its heading."""
    filled = [(HEADS[name], lists.get(name, "").strip()) for name in HEADS]
    return "\n\n".join(f"{head}:\n{text}" for head, text in filled if text)


def split(text: str) -> dict[str, str]:
    """The lists of a text. Text before the first heading counts as talking points."""
    found: dict[str, list[str]] = {name: [] for name in HEADS}
    name = "talking_points"
    for line in text.splitlines():
        head = _NAMES.get(line.strip().lower())
        if head:
            name = head
        else:
            found[name].append(line)
    return {name: "\n".join(lines).strip() for name, lines in found.items()}
