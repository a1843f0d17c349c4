"""The files around the code agree with each other and with the README."""

import importlib.metadata
import os
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


def make(*arguments):
    """Call make as a person would, whatever make these tests were started by."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, env=plain, capture_output=True, text=True, check=True
    )


def requirement(text):
    """Return the name, without extras, and the rest of a requirement."""
    name, rest = re.match(r"([A-Za-z0-9_.-]+)(?:\[[^]]*\])?(.*)", text).groups()
    return name.lower().replace("_", "-"), rest.replace(" ", "")


LOCKED = dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.M))
GROUPS = PYPROJECT["dependency-groups"]
CORE = PYPROJECT["project"]["dependencies"]
EXTRAS = PYPROJECT["project"]["optional-dependencies"]
NOTEBOOKS = [*EXTRAS["images"], *EXTRAS["plot"], *EXTRAS["book"][1:]]  # what saelib[book] brings
ASKED = dict(map(requirement, [*CORE, *NOTEBOOKS, *EXTRAS["dask"], *chain(*GROUPS.values())]))


@pytest.mark.parametrize("name", ASKED)
def test_the_lock_holds_a_version_that_pyproject_allows(name):
    from packaging.specifiers import SpecifierSet

    assert name in LOCKED, f"{name} is not in requirements.lock: run make lock"
    assert SpecifierSet(ASKED[name]).contains(LOCKED[name], prereleases=True)


def test_the_extra_for_the_notebooks_begins_with_the_other_two():
    assert EXTRAS["book"][0] == "saelib[images,plot]"


def test_conda_gets_what_the_notebooks_need_and_no_more():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    listed = dict(requirement(entry) for entry in conda if isinstance(entry, str))
    listed["matplotlib"] = listed.pop("matplotlib-base")
    assert listed.pop("pip") == ""
    assert listed.pop("python") == PYPROJECT["project"]["requires-python"] + ",<3.15"
    assert listed == dict(map(requirement, [*CORE, *NOTEBOOKS]))
    assert [entry["pip"] for entry in conda if isinstance(entry, dict)] == [["--editable ."]]


def test_the_library_s_readme_and_the_page_tell_which_extra_brings_what():
    for path in ("saelib/README.md", "book/install.md"):
        rows = dict(re.findall(r"^\| `(saelib[^`]*)` \| (.+) \|$", (ROOT / path).read_text(), re.M))
        assert set(rows) == {"saelib", *(f"saelib[{extra}]" for extra in EXTRAS)}
        for name in map(requirement, CORE):
            assert name[0] in rows["saelib"], path


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    changelog = (ROOT / "CHANGELOG.md").read_text()
    latest = re.search(r"^## (\S+), (\S+)$", changelog, re.M)
    assert latest.groups() == (saelib.__version__, str(citation["date-released"]))
    assert citation["version"] == saelib.__version__
    for path in ("README.md", "book/install.md"):
        wheels = re.findall(r"saelib-(\d\S*?)-py3-none-any\.whl", (ROOT / path).read_text())
        assert wheels, path
        assert set(wheels) == {saelib.__version__}, path
    assert importlib.metadata.version("saelib") == saelib.__version__


def test_the_authors_are_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    (author,) = PYPROJECT["project"]["authors"]
    assert [entry["name"] for entry in citation["authors"]] == [author["name"]]
    assert config["author"] == author["name"]
    assert author["name"] in (ROOT / "LICENSE").read_text()


def test_the_licence_and_the_year_are_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    assert citation["license"] == PYPROJECT["project"]["license"] == "BSD-3-Clause"
    year = re.search(r"Copyright \(c\) (\d{4}), ", (ROOT / "LICENSE").read_text())[1]
    assert config["copyright"] == year


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
    targets = set(" ".join(re.findall(r"^\.PHONY: (.*)$", makefile, re.M)).split())
    told = make("help")
    assert {line.split()[1] for line in told.stdout.splitlines()} == targets


def test_make_help_says_the_same_inside_of_another_make(monkeypatch):
    """As under make -C or make -j, which have every make below tell where it is."""
    monkeypatch.setenv("MAKEFLAGS", "w")
    test_make_help_lists_every_target()


def test_ci_runs_the_readme_s_test_command_as_it_is_written():
    (command,) = re.findall(r"^    (make test)\b.*$", README, re.M)
    script = (ROOT / ".ci" / "run").read_text()
    called = [line.strip() for line in script.splitlines() if re.match(r"\s*make\b", line)]
    assert command in called
    assert all(line.split("#")[0].split() == ["make", line.split()[1]] for line in called)


def test_where_home_cannot_be_written_another_one_is_used(monkeypatch):
    monkeypatch.setenv("HOME", "/proc/nowhere")
    known = make("--print-data-base", "--dry-run", "help").stdout
    assert f"HOME := {ROOT}/_build/home" in known.splitlines()
    assert os.access(ROOT / "_build" / "home", os.W_OK)


WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"


def test_the_workflow_is_one_that_github_understands(tmp_path):
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    check.append("vendor.github-workflows")
    broken = tmp_path / "broken.yml"
    broken.write_text(WORKFLOW.read_text().replace("runs-on:", "run-on:"))
    for path, code in ((WORKFLOW, 0), (broken, 1)):
        done = subprocess.run([*check, str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout


def test_the_workflow_runs_what_there_is_and_knows_its_own_address():
    workflow = yaml.safe_load(WORKFLOW.read_text())
    address = "${{ github.server_url }}/${{ github.repository }}"
    assert workflow["env"]["SAELIB_REPOSITORY"] == address
    jobs = workflow["jobs"]
    assert all(need in jobs for job in jobs.values() for need in [job.get("needs")] if need)
    targets = set(jobs["versions"]["strategy"]["matrix"]["target"])
    targets |= set(re.findall(r"^\s+make ([a-z-]+)$", WORKFLOW.read_text(), re.M))
    assert targets >= {"test-newest", "test-lowest", "sphinx", "pdf", "book"}
    makefile = (ROOT / "Makefile").read_text()
    assert all(re.search(rf"^{target}:", makefile, re.M) for target in targets)


def test_nothing_names_a_registry_host_or_a_path_of_one_machine():
    pattern = re.compile(r"registry\.npm|files\.pythonhosted|pypi\.org/simple|/(?:home/\w+|root)/")
    files = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in files.stdout.splitlines():
        path = ROOT / name
        if path.suffix in (".py", ".md", ".yml", ".toml", ".lock", ".ipynb", ".css", ".js"):
            assert path == Path(__file__) or not pattern.search(path.read_text()), name
