"""`python -m config.keys`: write the secrets this installation needs to an ignored `.env`, once. Needs no Django."""

import os
import secrets
from pathlib import Path

ENV_FILE = Path(__file__).resolve().parent.parent / ".env"


def new_keys() -> dict[str, str]:
    """Fresh secrets: Django's own, and the key of the chained log as `id:secret`."""
    return {"SECRET_KEY": secrets.token_urlsafe(50), "LOG_KEY": f"k1:{secrets.token_hex(32)}"}


def missing_lines(text: str, environ: dict[str, str]) -> list[str]:
    """The lines to add to an env file with this `text`. Names that the file or the environment already has are left
    out."""
    named = {line.removeprefix("export ").partition("=")[0].strip() for line in text.splitlines()}
    return [f"{name}={value}" for name, value in new_keys().items() if name not in named and not environ.get(name)]


def write(path: Path, environ: dict[str, str]) -> list[str]:
    """Append the missing secrets to `path`, readable by its owner only. Returns the names written."""
    text = path.read_text() if path.exists() else ""
    lines = missing_lines(text, environ)
    if lines:
        path.touch(mode=0o600)
        path.write_text("\n".join([*text.splitlines(), *lines]) + "\n")
    return [line.partition("=")[0] for line in lines]


if __name__ == "__main__":
    if names := write(ENV_FILE, dict(os.environ)):
        print(f"Wrote {' and '.join(names)} to .env (keep it; the log cannot be checked without its key).")
