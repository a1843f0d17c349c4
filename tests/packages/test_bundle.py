"""What readers download works as they use it: unpacked, installed, every notebook run.

Everything happens in clean environments outside the repository, with the wheel and not the source
tree. The notebooks with solutions run on this processor, and the learner's ones as an older
processor would compute; they run beside each other.
"""

import hashlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import address  # noqa: E402
import bundle  # noqa: E402
import clean  # noqa: E402

import saelib  # noqa: E402

WHEEL = f"saelib-{saelib.__version__}-py3-none-any.whl"
CHAPTERS = sorted(path.name for path in (ROOT / "book").glob("[0-9][0-9]-*.ipynb"))


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def with_stored_outputs(learners, folder):
    """Copy the learner's notebooks into a folder, with the outputs that the book stores."""
    for path in learners:
        notebook = nbformat.read(path, 4)
        whole = nbformat.read(ROOT / "book" / path.name, 4)
        chapter = code_of(address.with_first_cell(whole, *address.public()))
        kept = [cell for cell in chapter if "solution" not in cell.metadata.get("tags", [])]
        cells = code_of(notebook)
        assert [cell.source for cell in cells] == [cell.source for cell in kept]
        for cell, stored in zip(cells, kept, strict=True):
            cell.outputs, cell.execution_count = stored.outputs, stored.execution_count
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
    started = {}
    for variant, variables in (("solved", {}), ("learner", clean.other_processor(reader))):
        folder = tmp_path_factory.mktemp(variant)
        kernels = clean.kernel(folder / "jupyter", reader, variables)
        notebooks = sorted((unpacked / variant).glob("*.ipynb"))
        if variant == "learner":
            notebooks = with_stored_outputs(notebooks, folder)
        log = folder / "report.txt"
        started[variant] = clean.comparison(notebooks, kernels, log), log
    yield started
    for process, _ in started.values():
        process.kill()
        process.wait()


def outcome(runs, variant):
    process, log = runs[variant]
    code = process.wait()
    print(f"{variant}: {clean.verdict(log)}")
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


def test_every_notebook_with_solutions_prints_what_it_stores(runs):
    outcome(runs, "solved")


def test_every_learner_s_notebook_runs_and_prints_the_same_on_another_processor(runs):
    outcome(runs, "learner")
