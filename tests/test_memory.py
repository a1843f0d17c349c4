"""Memory: data larger than memory, and how much an evaluation takes beyond its data."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

from saelib import Parameters, SparseAutoencoder, SparseObjective, train
from saelib import _passes as passes
from saelib import estimator as estimator_module

pytestmark = pytest.mark.xdist_group("memory")


def run(program, *arguments):
    command = [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def memory_map(tmp_path):
    """Return a function that writes uniform random data to a file and maps it into memory."""

    def write(m, n, dtype=np.float32):
        path = tmp_path / "X.npy"
        X = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=(m, n))
        rng = np.random.default_rng(0)
        for start in range(0, m, 100_000):
            rows = X[start : start + 100_000]
            rows[...] = rng.random(rows.shape, dtype=dtype)
        X.flush()
        return path

    return write


TRAIN_UNDER_A_LIMIT = """
    import resource, sys
    import numpy as np
    from saelib import Parameters, SparseObjective, train

    def data_segment():
        with open("/proc/self/status") as status:
            line = next(line for line in status if line.startswith("VmData"))
        return int(line.split()[1]) * 1024

    theta0 = Parameters.random(16, 40, seed=0).ravel()
    X = np.load(sys.argv[1], mmap_mode="r")
    # Libraries, threads and buffers of BLAS are there before the limit is set.
    train(SparseObjective(np.array(X[:5000]), 40), theta0, max_iter=2, progress=False)
    limit = data_segment() + 80 * 2**20
    assert limit - data_segment() < X.nbytes
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    try:
        np.array(X)
    except MemoryError:
        print("the data do not fit")
    result = train(SparseObjective(X, 40), theta0, max_iter=2, progress=False)
    print(result.n_iterations, bool(result.cost < result.history["total"][0]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit on memory is Linux's")
def test_a_memory_map_larger_than_the_memory_limit_is_trained_on(memory_map):
    done = run(TRAIN_UNDER_A_LIMIT, memory_map(1_400_000, 16))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["the data do not fit", "2 True"]


FIT_UNDER_A_LIMIT = """
    import resource, sys
    import numpy as np
    from saelib import SparseAutoencoder

    def data_segment():
        with open("/proc/self/status") as status:
            line = next(line for line in status if line.startswith("VmData"))
        return int(line.split()[1]) * 1024

    X = np.load(sys.argv[1], mmap_mode="r")
    model = SparseAutoencoder(n_hidden=2, max_iter=1, random_state=0)
    few = np.array(X[:5000])
    model.fit(few).score(few)
    model.transform(few)
    limit = data_segment() + 80 * 2**20
    assert 80 * 2**20 < X.nbytes
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    try:
        np.array(X)
    except MemoryError:
        print("the data do not fit")
    model.fit(X)
    print(model.n_iter_, model.score(X) < 0, model.transform(X).shape == (len(X), 2))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit on memory is Linux's")
def test_the_estimator_scales_a_memory_map_larger_than_the_memory_limit(memory_map):
    done = run(FIT_UNDER_A_LIMIT, memory_map(2_400_000, 16))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["the data do not fit", "1 True True"]


def test_scaling_in_blocks_gives_the_same_bits_as_a_scaled_copy(monkeypatch):
    X = np.random.default_rng(0).normal(size=(3000, 7)) * [1, 2, 3, 4, 5, 6, 7] + 10
    for data in (X, np.asfortranarray(X), X.astype(np.float32)):
        fits = []
        for limit in (2**30, 0):
            monkeypatch.setattr(estimator_module, "_MAX_BYTES_COPIED", limit)
            fits.append(SparseAutoencoder(n_hidden=3, max_iter=5, random_state=0).fit(data))
        assert np.array_equal(*(fit.parameters_.ravel() for fit in fits))


def test_a_memory_map_gives_the_same_bits_as_an_array(memory_map, monkeypatch):
    X = np.load(memory_map(3000, 7), mmap_mode="r")
    theta0 = Parameters.random(7, 3, seed=0).ravel()
    in_memory = train(SparseObjective(np.array(X), 3), theta0, max_iter=5, progress=False)
    monkeypatch.setattr(passes, "_MAX_BYTES_KEPT_BESIDE_DISK", 0)
    on_disk = train(SparseObjective(X, 3), theta0, max_iter=5, progress=False)
    assert np.array_equal(in_memory.theta, on_disk.theta)


def test_data_in_memory_allow_as_much_again_for_the_activations(memory_map, monkeypatch):
    for name in ("_MAX_BYTES_KEPT", "_MAX_BYTES_KEPT_BESIDE_DISK"):
        monkeypatch.setattr(passes, name, 0)
    path = memory_map(50, 7)
    X = np.load(path)
    assert SparseObjective(X, 7)._sums._memory_for_activations() is not None
    assert SparseObjective(X, 8)._sums._memory_for_activations() is None
    for mapped in (np.load(path, mmap_mode="r"), np.load(path, mmap_mode="r")[10:]):
        assert SparseObjective(mapped, 1)._sums._memory_for_activations() is None


PEAK = """
    import sys, threading, time
    import numpy as np
    from saelib import Parameters, SparseObjective

    def status(key):
        with open("/proc/self/status") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith(key)) * 1024

    m, n, h = map(int, sys.argv[1:])
    X = np.random.default_rng(0).random((m, n))
    theta = Parameters.random(n, h, seed=0).ravel()
    SparseObjective(X[:2000], h)(theta)
    before = status("VmRSS")
    SparseObjective(X, h)(theta)
    print((status("VmHWM") - before) / (m * h * 8))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_evaluation_takes_little_more_than_the_activations():
    done = run(PEAK, 200_000, 64, 128)
    assert done.returncode == 0, done.stderr
    assert 0.9 < float(done.stdout) < 1.3
