"""The wheel alone, in clean environments: the core, what an extra adds, and the source's tests."""

import re
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import bundle  # noqa: E402
import clean  # noqa: E402

import saelib  # noqa: E402

CORE = {"numpy", "scipy", "sklearn", "threadpoolctl", "safetensors", "tqdm", "joblib"}
EXTRAS = ("matplotlib", "skimage", "pandas", "dask", "pooch", "PIL", "IPython")
TRAINING = """
import sys
import numpy as np
from sklearn.datasets import load_digits
import saelib
X = saelib.normalize_patches(load_digits().data)
model = saelib.SparseAutoencoder(n_hidden=8, max_iter=20).fit(X)
objective = saelib.SparseObjective(X, n_hidden=8)
theta0 = saelib.Parameters.random(n_features=64, n_hidden=8, seed=0).ravel()
result = saelib.train(objective, theta0, max_iter=20)
model.save(sys.argv[1])
assert np.array_equal(saelib.SparseAutoencoder.load(sys.argv[1]).transform(X), model.transform(X))
from saelib.exercises import check_sigmoid
assert check_sigmoid(saelib.sigmoid).correct
print(result.cost < objective(theta0)[0])
"""
# What computes: its tests run once more on the wheel, as an older processor would compute.
NUMERICS = ("activations", "gradient_check", "network", "objective", "parameters", "sparsity")


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Return the paths of wheel and source archive."""
    return bundle.archives(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="session")
def core(built, tmp_path_factory):
    """Return the Python of an environment with the wheel and what it asks for, nothing else."""
    return clean.environment(tmp_path_factory.mktemp("core") / "env", str(built[0]))


def run(python, *arguments, **options):
    return subprocess.run(
        [str(python), *arguments],
        cwd=python.parent,
        env=clean.plain(),
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


def test_the_wheel_holds_the_package_and_its_licence_only(built):
    with zipfile.ZipFile(built[0]) as archive:
        names = archive.namelist()
    folders = {name.split("/")[0] for name in names}
    assert folders == {"saelib", f"saelib-{saelib.__version__}.dist-info"}
    assert {"saelib/py.typed", "saelib/__init__.py"} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.endswith((".pyc", ".ipynb"))]


def test_the_source_archive_holds_what_its_tests_need(built):
    top = f"saelib-{saelib.__version__}"
    with tarfile.open(built[1]) as archive:
        names = {name.removeprefix(f"{top}/") for name in archive.getnames()}
    files = {"conftest.py", "pyproject.toml", "saelib/README.md", "LICENSE", "PKG-INFO"}
    assert files <= names
    assert {"saelib/objective.py", "tests/test_objective.py"} <= names
    assert not [n for n in names if n.startswith(("book", "tools", "tests/browser", ".github"))]


def test_no_test_of_the_source_archive_reads_what_lies_in_the_repository_only(built):
    with tarfile.open(built[1]) as archive:
        for member in archive.getmembers():
            if re.search(r"/tests/test_\w+\.py$", member.name):
                text = archive.extractfile(member).read().decode()
                outside = re.search(r"parents\[1\]|parent\.parent", text)
                assert not outside, f"{member.name}: leave it out in pyproject.toml, sdist, exclude"


def test_the_metadata_can_be_published(built):
    with zipfile.ZipFile(built[0]) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        data = Parser().parsestr(archive.read(name).decode())
    from packaging.metadata import Metadata

    Metadata.from_email(data.as_string(), validate=True)
    assert data["Version"] == saelib.__version__
    assert set(data.get_all("Provides-Extra")) == {"images", "plot", "dask", "book"}
    # Relative links of a README lead nowhere on the page of a package index.
    assert not re.findall(r"\]\((?!https?:|#)[^)]+\)", data.get_payload())


def test_the_core_brings_no_more_than_it_needs(core):
    code = (
        "import importlib.util\n"
        f"print(*[n for n in {EXTRAS} if importlib.util.find_spec(n)])\n"
        f"print(*[n for n in {tuple(CORE)} if not importlib.util.find_spec(n)])"
    )
    assert run(core, "-c", code).stdout.split() == []


def test_the_core_trains_saves_and_checks(core, tmp_path):
    done = run(core, "-W", "error", "-c", TRAINING, str(tmp_path / "model.safetensors"))
    assert done.stdout.split() == ["True"], done.stderr


@pytest.mark.parametrize(
    ("program", "extra"),
    [
        ("import saelib.plotting", "plot"),
        ("from saelib.plotting.filters import plot_filters", "plot"),
        ("import saelib; saelib.natural_images()", "images"),
        ("import saelib; saelib.load_images('.')", "images"),
        ("import saelib; saelib.DaskObjective", "dask"),
    ],
)
def test_a_missing_extra_is_named_with_the_command_that_brings_it(core, program, extra):
    done = run(core, "-c", program)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ModuleNotFoundError")
    assert last.endswith(f"install it by: pip install 'saelib[{extra}]'")


def test_the_command_that_the_error_names_works_beside_the_wheel(core):
    """No index needs to know saelib: the extra is asked of what is installed."""
    uv = [sys.executable, "-m", "uv", "-q", "pip", "install", "--python", str(core)]
    uv += ["--no-verify-hashes", "--constraint", str(ROOT / "requirements.lock")]
    subprocess.run([*uv, "saelib[images,plot]"], check=True)
    program = "import saelib.plotting; print(len(saelib.natural_images()))"
    done = run(core, "-W", "error", "-c", program)
    assert done.stdout.split() == ["10"], done.stderr


def test_the_tests_of_the_source_archive_pass_with_the_wheel_on_another_processor(
    built, tmp_path_factory
):
    place = tmp_path_factory.mktemp("source archive")
    clean.unpack(built[1], place)
    (source,) = place.iterdir()
    wanted = [f"{built[0]}[book]", "pytest", "hypothesis", "jax"]
    python = clean.environment(place / "env", *wanted)
    named = [source / "tests" / f"test_{name}.py" for name in NUMERICS]
    assert all(path.exists() for path in named)
    done = subprocess.run(
        [str(python.with_name("pytest")), "-q", "-p", "no:cacheprovider", *map(str, named)],
        cwd=source,
        env=clean.plain(clean.other_processor(python)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
    print(done.stdout.strip().splitlines()[-1])
