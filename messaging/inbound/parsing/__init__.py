"""Raw mail to plain facts. `reader.parse_in_child` is the entry; everything else runs inside the limited child process."""
