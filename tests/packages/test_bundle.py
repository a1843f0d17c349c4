"""What readers download works as they use it: unpacked, installed, every notebook run.

Everything happens in clean environments outside the repository, with the wheel and not the source
tree. The notebooks with solutions run on this processor, in two halves beside each other. The
learner's ones, with all their other cells alike, run as an older processor would compute: whole
where that is soon done; of the others the exercises, which nobody has solved there, and the cells
that these need.
"""

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "book" / "_live")]
import address  # noqa: E402
import bundle  # noqa: E402
import cells as of_chapters  # noqa: E402
import clean  # noqa: E402

import saelib  # noqa: E402

WHEEL = f"saelib-{saelib.__version__}-py3-none-any.whl"
CHAPTERS = sorted(path.name for path in (ROOT / "book").glob("[0-9][0-9]-*.ipynb"))
SECONDS = json.loads((ROOT / "book" / "_data" / "run-times.json").read_text())["seconds"]
SHORT = 15  # seconds: a chapter that takes no more is soon run once more


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def halves(notebooks):
    """Share notebooks out to two that run them, so that both take as long."""
    shares = ([], [])
    for path in sorted(notebooks, key=lambda path: -SECONDS[path.stem]):
        min(shares, key=lambda share: sum(SECONDS[other.stem] for other in share)).append(path)
    return shares


def what_exercises_need(cells):
    """Return which cells are part of an exercise, or needed by one."""
    edges = of_chapters.Chapter([cell.source for cell in cells]).edges
    tags = [set(cell.metadata.get("tags", [])) for cell in cells]
    exercises = [k for k in range(len(cells)) if tags[k] & {"stub", "check"}]
    assert exercises
    return sorted({0}.union(*(of_chapters.closure(k, edges) for k in exercises)))


def with_stored_outputs(learners, folder):
    """Copy what is run of the learner's notebooks, with the outputs that the book stores."""
    for path in learners:
        notebook = nbformat.read(path, 4)
        whole = nbformat.read(ROOT / "book" / path.name, 4)
        chapter = code_of(address.with_first_cell(whole, *address.public()))
        kept = [cell for cell in chapter if "solution" not in cell.metadata.get("tags", [])]
        cells = code_of(notebook)
        assert [cell.source for cell in cells] == [cell.source for cell in kept]
        for cell, stored in zip(cells, kept, strict=True):
            cell.outputs, cell.execution_count = stored.outputs, stored.execution_count
        if SECONDS[path.stem] > SHORT:
            notebook.cells = [cells[k] for k in what_exercises_need(kept)]
        nbformat.write(notebook, folder / path.name)
    return sorted(folder.glob("*.ipynb"))


@pytest.fixture(scope="session")
def downloads(tmp_path_factory):
    """Return the folder with what the site offers."""
    folder = tmp_path_factory.mktemp("downloads")
    bundle.downloads(folder)
    return folder


@pytest.fixture(scope="session")
def unpacked(downloads, tmp_path_factory):
    """Return the bundle, unpacked."""
    place = tmp_path_factory.mktemp("at a reader's")
    with zipfile.ZipFile(downloads / "sparse-autoencoders.zip") as archive:
        archive.extractall(place)
    return place / "sparse-autoencoders"


@pytest.fixture(scope="session")
def reader(unpacked):
    """Return the Python of a clean environment with the wheel, its extra, and nothing else."""
    wheel = f"{unpacked / WHEEL}[book]"
    return clean.environment(unpacked / ".venv", wheel, pins=unpacked / "constraints.txt")


@pytest.fixture(scope="session")
def runs(unpacked, reader, tmp_path_factory):
    """Start all the notebooks, and return their processes and reports."""
    one, other = halves((unpacked / "solved").glob("*.ipynb"))
    learners = sorted((unpacked / "learner").glob("*.ipynb"))
    older = clean.other_processor(reader)
    started = {}
    for name, notebooks, variables in (
        ("one half", one, {}),
        ("other half", other, {}),
        ("learner", learners, older),
    ):
        folder = tmp_path_factory.mktemp(name)
        kernels = clean.kernel(folder / "jupyter", reader, variables)
        chosen = with_stored_outputs(notebooks, folder) if name == "learner" else notebooks
        assert {path.name for path in chosen} == {path.name for path in notebooks}
        log = folder / "report.txt"
        started[name] = clean.comparison(chosen, kernels, log), log
    yield started
    for process, _ in started.values():
        process.kill()
        process.wait()


def outcome(runs, name):
    process, log = runs[name]
    code = process.wait()
    print(f"{name}: {clean.verdict(log)}")
    assert code == 0, log.read_text(errors="replace")[-20_000:]
    assert re.search(r"\b\d{3} passed", clean.verdict(log))


def test_the_same_sources_give_the_same_bytes(downloads, tmp_path):
    bundle.downloads(tmp_path)
    digests = [
        {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
        for folder in (downloads, tmp_path)
    ]
    assert digests[0] == digests[1]


def test_the_site_offers_these_files(downloads):
    site = ROOT / "_build" / "html" / "downloads"
    for path in downloads.iterdir():
        assert (site / path.name).read_bytes() == path.read_bytes(), "run: make book"


def test_the_page_links_to_all_that_the_site_offers_and_to_no_unknown_address():
    site = ROOT / "_build" / "html"
    page = (site / "install.html").read_text(encoding="utf-8")
    linked = set(re.findall(r'href="downloads/([^"]+)"', page))
    offered = {path.name for path in (site / "downloads").iterdir() if path.suffix != ".gz"}
    assert linked == offered >= {"sparse-autoencoders.zip", WHEEL}
    for path in [*site.glob("*.html"), site / "_static" / "search-index.js"]:
        assert not re.search(r"\.invalid|-OF-THE-REPOSITORY", path.read_text(encoding="utf-8"))


def test_the_bundle_holds_what_its_how_to_names(unpacked):
    names = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    chapters = {f"{variant}/{name}" for variant in ("learner", "solved") for name in CHAPTERS}
    assert len(CHAPTERS) == 16
    others = {"README.txt", "requirements.txt", "constraints.txt", "LICENSE", "LICENSE-text"}
    assert names == chapters | others | {WHEEL}
    how_to = (unpacked / "README.txt").read_text()
    assert all(word in how_to for word in ("requirements.txt", "learner/", "solved/", WHEEL))
    assert (unpacked / "requirements.txt").read_text() == f"./{WHEEL}[book]\n"


def test_the_constraints_are_the_versions_of_the_lock(unpacked):
    pins = dict(re.findall(r"^(\S+?)==(\S+)", (unpacked / "constraints.txt").read_text(), re.M))
    lock = (ROOT / "requirements.lock").read_text()
    assert pins == dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", lock, re.M))


def test_the_reader_s_saelib_is_the_wheel_s(reader, runs):
    program = "import saelib, saelib.plotting, pandas; print(saelib.__file__)"
    told = subprocess.run(
        [str(reader), "-c", program],
        cwd=reader.parent,
        env=clean.plain(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(told.stdout.strip()).is_relative_to(reader.parents[1])


def test_what_the_notebooks_import_is_in_the_extra(unpacked):
    imported = {
        name
        for path in unpacked.glob("*/*.ipynb")
        for cell in code_of(nbformat.read(path, 4))
        for name in re.findall(r"^\s*(?:import|from) (\w+)", cell.source, re.M)
    }
    known = {"saelib", "numpy", "scipy", "sklearn", "joblib", "threadpoolctl"} | set(
        sys.stdlib_module_names
    )
    assert imported - known == set()


def test_every_learner_s_notebook_runs_and_prints_the_same_on_another_processor(runs):
    outcome(runs, "learner")


@pytest.mark.parametrize("half", ["one half", "other half"])
def test_every_notebook_with_solutions_prints_what_it_stores(runs, half):
    outcome(runs, half)


def test_the_two_halves_are_all_chapters():
    shares = halves(ROOT / "book" / name for name in CHAPTERS)
    assert sorted(path.name for share in shares for path in share) == CHAPTERS
