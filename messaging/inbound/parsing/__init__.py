"""Raw mail to plain facts. `reader.parse_in_child` is the door; all else runs inside the limited child process."""
