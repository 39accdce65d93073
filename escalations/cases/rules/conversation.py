"""The conversation part of a brief: three headed lists kept as one text that people can also read as it is."""

HEADS = {"risks": "Risks", "talking_points": "Talking points", "desired_outcome": "Desired outcome"}
_NAMES = {f"{head.lower()}:": name for name, head in HEADS.items()}


def join(lists: dict[str, str]) -> str:
    """One text from the lists that hold something, each below its head."""
    filled = [(HEADS[name], lists.get(name, "").strip()) for name in HEADS]
    return "\n\n".join(f"{head}:\n{text}" for head, text in filled if text)


def split(text: str) -> dict[str, str]:
    """The lists of a text. What stands before the first head counts as talking points."""
    found: dict[str, list[str]] = {name: [] for name in HEADS}
    name = "talking_points"
    for line in text.splitlines():
        head = _NAMES.get(line.strip().lower())
        if head:
            name = head
        else:
            found[name].append(line)
    return {name: "\n".join(lines).strip() for name, lines in found.items()}
