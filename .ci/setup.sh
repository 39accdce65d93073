#!/usr/bin/env bash
# Prepare a machine to run the project: .venv with hashed requirements and, where allowed, system packages.
#   setup.sh run   for `make run`                setup.sh dev   also tests, linters and a browser
# Missing system packages are installed by apt when root, else named in one line; only Python itself is required.
set -euo pipefail
cd "$(dirname "$0")/.."
kind=${1:-run}
python=${PYTHON:-python3}
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore DEBIAN_FRONTEND=noninteractive

say() { printf '%s\n' "$*" >&2; }

# Run a command that prints nothing; a line every 8 seconds says that it still runs.
say_while() {
  local what=$1 pid seconds=0
  shift
  "$@" &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 1
    seconds=$((seconds + 1))
    if [ $((seconds % 8)) = 0 ]; then say "$what: $seconds s"; fi
  done
  wait "$pid"
}

quietly() { "$@" >/dev/null 2>&1; }

apt_ready() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1
}

apt_install() {
  apt_ready || return 1
  if [ -z "${apt_updated:-}" ]; then
    apt_updated=1
    say_while "Reading the package lists" quietly timeout 300 apt-get update -qq || true
  fi
  say "Installing $*"
  say_while "Installing $*" quietly timeout 600 apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "$@"
}

need_python() {
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && return
  say "Python 3.11 or newer is needed: install python3, or name one with PYTHON=/path/to/python3."
  exit 1
}

make_venv() {
  [ -f .venv/.requirements ] && [ -x .venv/bin/python ] && return
  .venv/bin/python -m pip --version >/dev/null 2>&1 && return
  rm -rf .venv
  "$python" -m venv .venv >/dev/null 2>&1 && return
  rm -rf .venv
  apt_install python3-venv && "$python" -m venv .venv >/dev/null 2>&1 && return
  say "python3 cannot make a virtual environment: install the package python3-venv, then run make again."
  exit 1
}

# The stamp names what was installed, so that a change of requirements is noticed. A development .venv serves `run` too.
install_requirements() {
  local file wanted stamp=.venv/.requirements
  file=requirements.txt
  if [ "$kind" = dev ] || grep -q '^requirements-dev' "$stamp" 2>/dev/null; then file=requirements-dev.txt; fi
  wanted="$file $("$python" -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$file")"
  [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return
  say "Installing Python packages from $file"
  rm -f "$stamp"
  if ! say_while "Installing Python packages" .venv/bin/python -m pip install -qq --require-hashes -r "$file"; then
    say "The Python packages could not be installed (see above): check the network and run make again."
    exit 1
  fi
  printf '%s\n' "$wanted" >"$stamp"
}

has_pango() {
  "$python" - <<'PY' 2>/dev/null
import ctypes
for name in ("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0"):
    ctypes.CDLL(name)
PY
}

has_fonts() {
  [ -n "$(find /usr/share/fonts /usr/local/share/fonts "$HOME/.fonts" "$HOME/.local/share/fonts" \
    \( -name '*.ttf' -o -name '*.otf' \) -print -quit 2>/dev/null)" ]
}

need_pango() {
  local missing=()
  has_pango || missing+=(libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)
  has_fonts || missing+=(fonts-dejavu-core)
  [ ${#missing[@]} = 0 ] && return
  apt_install "${missing[@]}" && return
  say "PDF briefs fall back to the print view; for PDF files install: ${missing[*]}"
}

has_browser() {
  PYTHONPATH=. .venv/bin/python -m tests.support.browser >/dev/null 2>&1
}

need_browser() {
  has_browser && return
  apt_install chromium && has_browser && return
  timeout 300 .venv/bin/python -m playwright install chromium >/dev/null 2>&1 && has_browser && return
  say "Browser tests are skipped (CI: fail): install the package chromium, or name a browser with CHROMIUM=/path/to/chromium."
}

has_dovecot() {
  PATH=$PATH:/usr/sbin:/sbin command -v dovecot >/dev/null 2>&1
}

need_dovecot() {
  has_dovecot && return
  apt_install dovecot-imapd && has_dovecot && return
  say "Tests of the mailbox are skipped (CI: fail): install the package dovecot-imapd."
}

began=$SECONDS
need_python
make_venv
install_requirements
need_pango
if [ "$kind" = dev ]; then
  need_browser
  need_dovecot
fi
if [ "$kind" = dev ]; then say "Set-up: $((SECONDS - began)) s"; fi
