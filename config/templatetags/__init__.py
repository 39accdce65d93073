"""Template tags and filters used by every app: `ui` draws components, `formats` writes values for people."""
