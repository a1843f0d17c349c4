"""The files around the code agree with each other and with the README."""

import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import yaml

import saelib

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
README = (ROOT / "README.md").read_text()


def requirement(text):
    """Return the name, without extras, and the rest of a requirement."""
    name, rest = re.match(r"([A-Za-z0-9_.-]+)(?:\[[^]]*\])?(.*)", text).groups()
    return name.lower().replace("_", "-"), rest.replace(" ", "")


LOCKED = dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.M))
GROUPS = PYPROJECT["dependency-groups"]
ASKED = dict(map(requirement, [*PYPROJECT["project"]["dependencies"], *chain(*GROUPS.values())]))


@pytest.mark.parametrize("name", ASKED)
def test_the_lock_holds_a_version_that_pyproject_allows(name):
    from packaging.specifiers import SpecifierSet

    assert name in LOCKED, f"{name} is not in requirements.lock: run make lock"
    assert SpecifierSet(ASKED[name]).contains(LOCKED[name], prereleases=True)


def test_conda_gets_the_dependencies_of_the_package_and_of_the_book():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    listed = dict(requirement(entry) for entry in conda if isinstance(entry, str))
    listed["matplotlib"] = listed.pop("matplotlib-base")
    pip = next(entry["pip"] for entry in conda if isinstance(entry, dict))
    listed |= dict(requirement(entry) for entry in pip if not entry.startswith("-"))
    wanted = dict(map(requirement, [*PYPROJECT["project"]["dependencies"], *GROUPS["book"]]))
    assert {name: listed.get(name) for name in wanted} == wanted
    assert listed["python"] == PYPROJECT["project"]["requires-python"] + ",<3.15"


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    changelog = (ROOT / "CHANGELOG.md").read_text()
    latest = re.search(r"^## (\S+), (\S+)$", changelog, re.M)
    assert latest.groups() == (saelib.__version__, str(citation["date-released"]))
    assert citation["version"] == saelib.__version__


def test_the_code_in_the_readme_runs_and_prints_what_it_says(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", README, re.S)
    assert len(blocks) == 2
    assert len(blocks[0].strip().splitlines()) <= 11
    script = tmp_path / "readme.py"
    script.write_text("\n".join(blocks))
    result = subprocess.run(
        [sys.executable, "-W", "error", str(script)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    said, promised = result.stdout.strip(), re.search(r"# (J = .*)", README)[1]
    # Another processor rounds differently, and the optimizer then ends elsewhere nearby.
    assert float(said.removeprefix("J = ")) == pytest.approx(
        float(promised.removeprefix("J = ")), abs=0.015
    )


def test_the_map_of_the_readme_names_what_there_is():
    named = re.findall(r"^\| ((?:`[^`]+`(?:, )?)+) \|", README, re.M)
    paths = re.findall(r"`([^`]+)`", " ".join(named))
    assert {"book/", "saelib/", "tests/"} <= set(paths)
    assert all((ROOT / path).exists() for path in paths)


def test_every_link_in_the_documents_leads_to_a_file():
    for document in ROOT.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (ROOT / target).exists(), f"{document.name} links to {target}"


def test_make_help_lists_every_target():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, re.M)[1].split())
    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {line.split()[1] for line in told.stdout.splitlines()} == targets


def test_nothing_names_a_registry_host_or_a_path_of_one_machine():
    pattern = re.compile(r"registry\.npm|files\.pythonhosted|pypi\.org/simple|/(?:home/\w+|root)/")
    files = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in files.stdout.splitlines():
        path = ROOT / name
        if path.suffix in (".py", ".md", ".yml", ".toml", ".lock", ".ipynb", ".css", ".js"):
            assert path == Path(__file__) or not pattern.search(path.read_text()), name
