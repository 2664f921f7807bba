"""The documentation says what is: variables, commands, paths, links, dependencies and providers are checked."""

from __future__ import annotations

import re
import runpy
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class

from agents_app.agents.registry import AGENTS, takers
from higherself import env as environment
from higherself.integrations.base import Ignore, Provider, Unreadable
from higherself.integrations.events import listeners
from higherself.integrations.registry import PROVIDERS
from tests.integrations import support

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("deploy/*.md")])
TEXTS = [*PAGES, *sorted(path for path in ROOT.glob("deploy/*") if path.suffix != ".md")]
TEXTS += [ROOT / name for name in (".env.example", "Makefile", "Procfile", ".ci/run")]
# Read where no file can name them: before the file itself is read, or under an older name.
ONLY_IN_THE_TABLE = {"HIGHERSELF_ENV_FILE", "NOTION_TASKS_DB"}
# Where the documentation may point to; the first is nginx's name for the server.
HOSTS = re.compile(r"higherself|(.+\.)?example\.(com|org)|127\.0\.0\.1|localhost|api\.notion\.com")

every_page = pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


# -- variables ------------------------------------------------------------------------------------------------------
class Recorder(dict[str, str]):
    """An environment that remembers what it is asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return super().__getitem__(name)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> set[str]:
    """The variables that the settings read."""
    recorder = Recorder({"SECRET_KEY": "a-key-for-reading-the-settings", "VAR_DIR": str(tmp_path)})
    monkeypatch.setattr(environment.env, "ENVIRON", recorder)
    runpy.run_path(str(ROOT / "higherself" / "settings.py"))
    return recorder.asked | {"HIGHERSELF_ENV_FILE"}


def in_the_example() -> set[str]:
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", text_of(ROOT / ".env.example"), re.MULTILINE))


def in_the_table() -> set[str]:
    pages = [text_of(ROOT / "docs" / name) for name in ("operations.md", "providers.md")]
    return {
        name
        for page in pages
        for row in rows_under("Variable", page)
        for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", row[0])
    }


def rows_under(heading: str, text: str) -> Iterator[list[str]]:
    """The cells of the rows of every table whose first column has this heading."""
    inside = False
    for line in text.splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == heading:
            inside = True
        elif inside and not set(cells[0]) <= {"-", ":"}:
            yield cells


def test_every_variable_is_in_the_example_and_the_example_has_no_other(asked: set[str]):
    assert in_the_example() == asked - ONLY_IN_THE_TABLE


def test_every_variable_is_in_one_of_the_tables_and_they_have_no_other(asked: set[str]):
    assert in_the_table() == asked


def test_the_production_example_sets_only_variables_that_exist():
    names = set(re.findall(r"^([A-Z][A-Z0-9_]+)=", text_of(ROOT / "deploy" / "production.env"), re.MULTILINE))
    assert names - in_the_example() == set()


def test_the_recorder_sees_what_is_made_of_parts(asked: set[str]):
    assert {"NOTION_USE_CASES_DB", "TYPEFORM_API_TOKEN", "EMAIL_URL", "NOTION_TASKS_DB"} - asked == set()


# -- commands -------------------------------------------------------------------------------------------------------
def code_in(text: str) -> list[str]:
    """What is typed: indented or fenced blocks, and code within a line."""
    blocks = re.findall(r"^(?: {4,}|\t)(.+)$", text, re.MULTILINE) + re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
    return [*blocks, *re.findall(r"`([^`\n]+)`", text)]


def commands_in(text: str) -> list[tuple[str, list[str]]]:
    """Every ``manage.py <command>`` with the options behind it."""
    found = []
    for code in code_in(text):
        for name, rest in re.findall(r"manage\.py +([a-z_]+)([^\n#|;&]*)", code):
            found.append((name, [word for word in shlex.split(rest, posix=False) if word.startswith("--")]))
    return found


@every_page
def test_every_command_that_is_named_exists_with_its_options(page: Path):
    known = get_commands()
    for name, options in commands_in(text_of(page)):
        assert (name, name in known) == (name, True)
        app: Any = known[name]
        command = load_command_class(app, name) if isinstance(app, str) else app
        parser = command.create_parser("manage.py", name)
        taken = {option for action in parser._actions for option in action.option_strings}
        assert (name, set(options) - taken) == (name, set())


@every_page
def test_every_make_target_that_is_named_exists(page: Path):
    targets = set(re.findall(r"^([a-z0-9]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    named = {name for code in code_in(text_of(page)) for name in re.findall(r"^make ([a-z0-9]+)", code)}
    assert named - targets == set()


def test_the_units_and_the_procfile_start_commands_that_exist():
    files = ["deploy/higherself.service", "deploy/higherself-worker.service", "Procfile"]
    named = {name for path in files for name in re.findall(r"manage\.py ([a-z_]+)", text_of(ROOT / path))}
    assert named == {"migrate", "collectstatic", "seed", "serve", "qcluster"}


# -- links and paths ------------------------------------------------------------------------------------------------
def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ +(.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_every_link_leads_somewhere_inside_the_project(page: Path):
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        assert not re.match(r"[a-z]+:", target), f"{target} leads out of the project"
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert (target, file.is_relative_to(ROOT), file.exists()) == (target, True, True)
        if anchor:
            assert (target, anchor in anchors(text_of(file))) == (target, True)


@every_page
def test_every_path_that_is_named_exists(page: Path):
    tops = "|".join(re.escape(path.name) for path in ROOT.iterdir() if path.is_dir() and path.name != "var")
    named = re.findall(rf"`((?:{tops})/[\w./-]*)`", text_of(page))
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_nothing_points_at_a_machine_or_an_unknown_host():
    for path in TEXTS:
        text = text_of(path)
        assert re.findall(r"(?<![\w.])/(?:work|root|home|Users|tmp)/\S*", text) == [], path
        hosts = set(re.findall(r"https?://([\w.-]+)", text))
        if path.name != ".env.example":
            assert {host for host in hosts if not HOSTS.fullmatch(host)} == set(), path


# -- tables that follow the code ------------------------------------------------------------------------------------
def test_every_direct_dependency_is_justified_and_nothing_else():
    direct = set()
    for name in ("requirements.in", "requirements-dev.in"):
        for line in text_of(ROOT / name).splitlines():
            found = re.match(r"[A-Za-z0-9][\w.-]*", line)
            direct |= {found[0]} if found else set()
    rows = list(rows_under("package", text_of(ROOT / "docs" / "dependencies.md")))
    assert sorted(cells[0].strip("`") for cells in rows) == sorted(direct)
    assert [cells for cells in rows if len(cells) != 3 or not all(cells)] == []


def is_worked_on(provider: Provider) -> bool:
    """Whether somebody takes what one of its payloads says."""
    for path in (ROOT / "tests" / "payloads" / provider.slug).glob("*.json"):
        try:
            events = provider.parse(support.sent(f"{provider.slug}/{path.name}"))
        except (Ignore, Unreadable):
            continue
        if any(takers(event.kind) or listeners(event) for event in events):
            return True
    return False


def test_every_provider_stands_in_the_table_as_what_it_is():
    rows = rows_under("service", text_of(ROOT / "docs" / "providers.md"))
    told = {cells[0]: cells[1].startswith("**worked on**") for cells in rows}
    assert told == {provider.label: is_worked_on(provider) for provider in PROVIDERS.values()}


def test_every_agent_stands_in_the_table_as_what_it_is():
    rows = rows_under("agent", text_of(ROOT / "docs" / "status.md"))
    told = {cells[0].strip("`"): cells[1] for cells in rows}
    assert told == {agent.agent_id: "works" if agent.consumes else "waits" for agent in AGENTS.values()}
