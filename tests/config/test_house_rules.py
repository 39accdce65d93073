"""The rules of the house that no linter knows: design §1, §3 and §6, checked on the files themselves."""

import ast
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = ("ledger", "accounts", "messaging", "approvals", "escalations", "reports", "demo", "config")
FOLDERS = {*APPS, ".ci", "docs", "static", "templates", "tests"}
NOT_OURS = {".git", ".venv", "var", "test-output"}
# Put together from pieces, so that this file does not itself say what it forbids.
REGISTRIES = re.compile(r"(py" + r"pi|npm" + r"js|deb" + r"ian)\.(org|com)|python" + "hosted")
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:" + "|".join(("wo" + "rk", "ro" + "ot", "tm" + "p", r"home/\w+")) + r")/")
# "todo" is a Spanish word.
UNFINISHED = re.compile(
    r"\b(TO" + r"DO|FIX" + r"ME)\b|#\s*XX" + r"X\b|(?i:coming " + r"soon|lorem " + r"ipsum|#\s*to" + r"do)"
)
CLOCKS = re.compile(r"\b(timezone\.(now|localtime|localdate)|datetime\.(now|utcnow|today)|date\.today|time\.time)\(")
# Filters and tags that write a number, a date or a length of time in Django's words. Those of config/templatetags/formats.py
# do it in the words of ledger/format.py.
FORMATS_IN_A_TEMPLATE = re.compile(
    r"\|\s*(date|time|timesince|timeuntil|naturaltime|naturalday|floatformat|intcomma|stringformat|localize|localtime)\b"
    r"|\{%\s*(now|load\s+(humanize|l10n|tz))\b"
)
FORMATTERS = re.compile(r"^(babel|django\.utils\.(formats|dateformat|numberformat)|locale)(\.|$)")
# `:,` `:.1f` `:%b` and the like.
WRITES_A_VALUE = re.compile(r"[,%]|\.\d")
THE_FORMATTER = "ledger/format.py"
# Places on a drawing, which no one reads as text.
COORDINATES = {"reports/charts.py", "config/templatetags/drawings.py"}
MOST_LINES_OF_A_FUNCTION = 60
MOST_LINES_OF_A_FILE = 500
MOST_LINES_OF_A_TEMPLATE = 200
LONGEST_LINE_OF_A_TEMPLATE = 120
MOST_PARAMETERS = 7
# Counted in product code. What is left stands where a library hands over or asks for what has no better type.
MOST_USES_OF_ANY = 150
LONGEST_FILE_READ = 2_000_000


@cache
def files() -> tuple[str, ...]:
    """Every file that is or will be committed, as a path inside the repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return tuple(_walk())
    return tuple(sorted(name for name in listed.split("\0") if name and (ROOT / name).is_file()))


def _walk() -> Iterator[str]:
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [each for each in folders if each not in NOT_OURS]
        yield from (str((Path(folder) / name).relative_to(ROOT)) for name in names)


@cache
def text(name: str) -> str:
    """The text of a file; nothing for pictures and the like."""
    path = ROOT / name
    if path.stat().st_size > LONGEST_FILE_READ:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def python(*, tests: bool = True) -> list[str]:
    """Python files, migrations left out."""
    found = [name for name in files() if name.endswith(".py") and "/migrations/" not in name]
    return [name for name in found if tests or not name.startswith("tests/")]


def all_templates() -> list[str]:
    """HTML templates of pages and of e-mails."""
    return [name for name in files() if name.startswith("templates/") and name.endswith(".html")]


def templates() -> list[str]:
    """Templates of pages. E-mails may carry inline styles: mail programs know nothing else."""
    return [name for name in all_templates() if not re.search(r"(^|[/_])e?mails?([/_.]|$)", name)]


def places(names: list[str], pattern: re.Pattern[str]) -> list[str]:
    """`file:line text` of every line in which the pattern occurs."""
    return [
        f"{name}:{number} {line.strip()[:100]}"
        for name in names
        for number, line in enumerate(text(name).splitlines(), 1)
        if pattern.search(line)
    ]


def functions(name: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a file."""
    for node in ast.walk(ast.parse(text(name))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or "."]
    return [each.name for each in node.names] if isinstance(node, ast.Import) else []


def test_no_committed_file_names_a_package_registry() -> None:
    assert places(list(files()), REGISTRIES) == []


def test_no_committed_file_holds_a_path_of_one_machine() -> None:
    ours = [name for name in files() if "/vendor/" not in name]
    assert places(ours, MACHINE_PATHS) == []


def test_nothing_is_left_unfinished() -> None:
    ours = [name for name in files() if "/vendor/" not in name and not name.startswith("requirements")]
    assert places(ours, UNFINISHED) == []


def test_functions_fit_on_a_screen() -> None:
    long = [
        f"{name}:{each.lineno} {each.name} ({(each.end_lineno or 0) - each.lineno + 1} lines)"
        for name in python()
        for each in functions(name)
        if (each.end_lineno or 0) - each.lineno + 1 > MOST_LINES_OF_A_FUNCTION
    ]
    assert long == []


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """Names of the parameters, without self, cls and what collects the rest."""
    given = function.args
    names = [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def test_functions_take_few_parameters() -> None:
    many = [
        f"{name}:{each.lineno} {each.name} ({len(parameters(each))} parameters)"
        for name in python(tests=False)
        for each in functions(name)
        if len(parameters(each)) > MOST_PARAMETERS
    ]
    assert many == []


def uses_of_any(node: ast.AST) -> int:
    """How often code says `Any`."""
    return sum(isinstance(each, ast.Name) and each.id == "Any" for each in ast.walk(node))


def test_any_is_rare() -> None:
    uses = {name: uses_of_any(ast.parse(text(name))) for name in python(tests=False)}
    assert sum(uses.values()) <= MOST_USES_OF_ANY, {name: count for name, count in uses.items() if count > 4}


def test_rules_know_their_types() -> None:
    rules = [name for name in python(tests=False) if re.search(r"/rules(/|\.py$)", name)]
    assert [name for name in rules if uses_of_any(ast.parse(text(name)))] == []


def test_files_stay_small() -> None:
    sizes = {
        name: sum(1 for line in text(name).splitlines() if line.strip() and not line.strip().startswith("#"))
        for name in python()
    }
    assert {name: size for name, size in sizes.items() if size > MOST_LINES_OF_A_FILE} == {}


def test_template_lines_fit_on_a_screen() -> None:
    assert places(all_templates(), re.compile("." * (LONGEST_LINE_OF_A_TEMPLATE + 1))) == []


def test_templates_stay_small() -> None:
    sizes = {name: len(text(name).splitlines()) for name in all_templates()}
    assert {name: size for name, size in sizes.items() if size > MOST_LINES_OF_A_TEMPLATE} == {}


def test_a_tag_of_a_template_stands_on_one_line() -> None:
    # Django takes a tag broken over lines for text and shows it to the reader.
    broken = re.compile(r"\{%(?:(?!%\}).)*$|\{\{(?:(?!\}\}).)*$")
    assert places(all_templates(), broken) == []


def test_no_function_imports_from_the_project() -> None:
    hidden = {
        f"{name}:{inner.lineno}"
        for name in python()
        for each in functions(name)
        for inner in ast.walk(each)
        if isinstance(inner, ast.Import | ast.ImportFrom)
        and any(module.split(".")[0] in (*APPS, "tests", "") for module in _imported(inner))
    }
    assert sorted(hidden) == []


def test_only_the_ledger_reads_the_clock() -> None:
    others = [name for name in python(tests=False) if name != "ledger/now.py"]
    assert places(others, CLOCKS) == []


def test_hidden_words_leave_a_button_as_wide_as_it_looks() -> None:
    # A space after the hidden words would count as one more piece of the button, with a gap before it.
    button = re.compile(r"(\{% oneline %\}\s*)?<(button|a)\b[^>]*\bbtn\b[^>]*>((?:(?!</\2>).)*)</\2>", re.DOTALL)
    wide = [
        f"{name} {found[3].strip()[:60]}"
        for name in templates()
        for found in button.finditer(text(name))
        if not found[1] and re.search(r'\w<span class="visually-hidden">.*</span>\s+$', found[3], re.DOTALL)
    ]
    assert wide == []


def test_no_template_formats_by_itself() -> None:
    found = [name for name in files() if name.startswith("templates/")]
    assert places(found, FORMATS_IN_A_TEMPLATE) == []


def formatting(tree: ast.AST) -> Iterator[int]:
    """Lines that write a number or a date by themselves."""
    for node in ast.walk(tree):
        called = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
        if called == "strftime" or any(FORMATTERS.match(module) for module in _imported(node)):
            yield node.lineno  # type: ignore[attr-defined]
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            parts = node.format_spec.values if isinstance(node.format_spec, ast.JoinedStr) else []
            if any(isinstance(each, ast.Constant) and WRITES_A_VALUE.search(str(each.value)) for each in parts):
                yield node.lineno


def test_only_one_module_formats() -> None:
    others = [name for name in python(tests=False) if name != THE_FORMATTER and name not in COORDINATES]
    assert [f"{name}:{line}" for name in others for line in formatting(ast.parse(text(name)))] == []


def test_a_format_in_an_f_string_is_found() -> None:
    own = ("f'{a:,}'", "f'{a:.1f}'", "f'{a:%b}'", "a.strftime('%b')", "from babel import dates")
    assert [each for each in own if not list(formatting(ast.parse(each)))] == []
    assert list(formatting(ast.parse("f'{a} {b:>12} {c!r} {d:02d}'"))) == []


def test_pages_carry_no_inline_style() -> None:
    assert places(templates(), re.compile(r"<style\b|\sstyle\s*=")) == []


def test_pages_carry_no_inline_script() -> None:
    handler = r"<script(?![^>]*\bsrc=)|\son[a-z]+\s*=\s*[\"']|javascript:"
    assert places(templates(), re.compile(handler, re.IGNORECASE)) == []


def test_the_top_level_has_no_drawer_for_odds_and_ends() -> None:
    found = {name.split("/")[0] for name in files() if "/" in name}
    assert found - FOLDERS == set()


def test_every_app_and_only_they_are_under_the_layers_contract() -> None:
    packages = {name.split("/")[0] for name in files() if name.count("/") == 1 and name.endswith("/__init__.py")}
    linter = tomllib.loads(text("pyproject.toml"))["tool"]["importlinter"]
    assert set(linter["root_packages"]) == packages - {"tests"} == set(APPS)


def test_e_mail_templates_are_told_from_pages() -> None:
    names = ("templates/messaging/email/due.html", "templates/approvals/mail_asked.html", "templates/emails/a.html")
    assert [name for name in names if not re.search(r"(^|[/_])e?mails?([/_.]|$)", name)] == []
    assert not re.search(r"(^|[/_])e?mails?([/_.]|$)", "templates/escalations/case.html")
