#!/usr/bin/env bash
# Everything that can be proved without running the program's tests. All checks run; the failed ones are named at the end.
set -uo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
failed=()

check() {
  local name=$1
  shift
  printf '== %s\n' "$name"
  "$@" || failed+=("$name")
}

templates() {
  find templates -name '*.html' -print0 | xargs -0 "$bin/djade" --check --target-version 5.2
}

# Says nothing while all is well, and shows what it would change otherwise.
layout() {
  "$bin/djlint" --quiet --check templates || "$bin/djlint" --check templates 2>/dev/null
}

deploy_check() {
  env DJANGO_SETTINGS_MODULE=config.settings.prod SECRET_KEY="$("$bin/python" -c 'import secrets; print(secrets.token_urlsafe(60))')" \
    LOG_KEY=check:not-a-real-key ALLOWED_HOSTS=desk.example SITE_URL=https://desk.example \
    "$bin/python" manage.py check --deploy --fail-level WARNING
}

check "ruff check" "$bin/ruff" check .
check "ruff format" "$bin/ruff" format --check .
check "templates (djade)" templates
check "templates (djlint)" layout
check "types (mypy)" "$bin/mypy"
check "dependencies (deptry)" "$bin/deptry" .
check "layers (import-linter)" "$bin/lint-imports" --no-cache
check "house rules" "$bin/pytest" -q -p no:cacheprovider tests/config/test_house_rules.py
check "migrations" "$bin/python" manage.py makemigrations --check --dry-run
check "deployment settings" deploy_check
check "docs/states.md" "$bin/python" manage.py states_doc --check docs/states.md

if [ ${#failed[@]} = 0 ]; then
  printf '\nAll checks passed.\n'
else
  printf '\nFailed: %s\n' "$(IFS=,; echo "${failed[*]}")"
  exit 1
fi
