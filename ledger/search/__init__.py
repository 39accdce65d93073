"""Search: text folded to plain words, and an index over them that both databases answer alike."""
