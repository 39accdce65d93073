"""The secrets that `make run` writes once."""

import stat

from config import keys


def test_missing_keys_are_written_for_the_owner_alone(tmp_path):
    path = tmp_path / ".env"
    assert keys.write(path, {}) == ["SECRET_KEY", "LOG_KEY"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    values = dict(line.split("=", 1) for line in path.read_text().splitlines())
    assert len(values["SECRET_KEY"]) >= 50
    assert values["LOG_KEY"].startswith("k1:")


def test_a_second_run_changes_nothing(tmp_path):
    path = tmp_path / ".env"
    keys.write(path, {})
    before = path.read_text()
    assert keys.write(path, {}) == []
    assert path.read_text() == before


def test_what_stands_in_the_file_or_the_environment_is_kept(tmp_path):
    path = tmp_path / ".env"
    path.write_text("PORT=9000\nSECRET_KEY=mine")
    assert keys.write(path, {"LOG_KEY": "k9:theirs"}) == []
    assert keys.write(path, {}) == ["LOG_KEY"]
    assert path.read_text().startswith("PORT=9000\nSECRET_KEY=mine\nLOG_KEY=k1:")


def test_every_installation_gets_keys_of_its_own():
    assert keys.new_keys() != keys.new_keys()
