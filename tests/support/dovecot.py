"""A real IMAP server (Dovecot) on a free port of the loopback, with one mailbox. Started by root, it runs as `nobody`."""

import grp
import imaplib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tests.support.ports import free_port

USER, PASSWORD = "desk", "p@ss word/1"
START_SECONDS = 20
CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/run
instance_name = desk-test
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
mail_location = maildir:{folder}/mail
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/passwd
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
namespace inbox {{
  inbox = yes
}}
"""


@dataclass
class Server:
    """A running server; `url` is the value for IMAP_URL."""

    port: int

    @property
    def url(self) -> str:
        """The mailbox, with its password."""
        return f"imap://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/INBOX"

    @contextmanager
    def session(self, folder: str = "INBOX") -> Iterator[imaplib.IMAP4]:
        """A signed-in session with an open folder, like a mail program."""
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        try:
            client.login(USER, PASSWORD)
            status, answer = client.select(folder)
            assert status == "OK", answer
            yield client
        finally:
            client.logout()

    def put(self, *mails: bytes) -> None:
        """Deliver mail into the inbox."""
        with self.session() as client:
            for raw in mails:
                status, answer = client.append("INBOX", "", "", raw)
                assert status == "OK", answer

    def numbers(self, criterion: str = "ALL", folder: str = "INBOX") -> list[str]:
        """The results of a search."""
        with self.session(folder) as client:
            found: list[bytes] = client.uid("SEARCH", criterion)[1]
            return found[0].decode().split() if found[0] else []


def program() -> str | None:
    """Where Dovecot is installed; None when it is not."""
    return shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


@contextmanager
def running() -> Iterator[Server]:
    """Start it in a folder of its own; AssertionError with its log when it does not answer."""
    folder = Path(tempfile.mkdtemp(prefix="desk-imap-"))
    server = Server(free_port())
    person = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    (folder / "mail").mkdir()
    (folder / "passwd").write_text(f"{USER}:{PASSWORD}\n")
    group = grp.getgrgid(person.pw_gid).gr_name
    settings = {"user": person.pw_name, "group": group, "uid": person.pw_uid, "gid": person.pw_gid}
    (folder / "dovecot.conf").write_text(CONFIGURATION.format(folder=folder, port=server.port, **settings))
    if os.getuid() == 0:
        folder.chmod(0o755)
        for each in (folder / "mail", folder / "passwd"):
            os.chown(each, person.pw_uid, person.pw_gid)
    process = subprocess.Popen(
        [str(program()), "-F", "-c", str(folder / "dovecot.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    try:
        _wait_until_ready(server, process, folder / "dovecot.log")
        yield server
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(server: Server, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline, error = time.monotonic() + START_SECONDS, None
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with server.session():
                return
        except (OSError, imaplib.IMAP4.error) as refusal:
            error = refusal
            time.sleep(0.1)
    said = log.read_text(errors="replace") if log.exists() else "no log"
    raise AssertionError(f"Dovecot did not start ({error}):\n{said}")
