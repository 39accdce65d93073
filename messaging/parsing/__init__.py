"""Reading raw mail safely: `mail_reader` is the door, everything else runs in the limited child process."""
