from dataclasses import dataclass
@dataclass
class Progress:
    done: int
    of: int
    rows: int = 0
    seconds: float = 0.0
    @property
    def rate(self): return 0
def fill(*a, **k): ...
