"""The objective over a Dask array: the same numbers, wherever they are computed."""

import logging
import os
import signal
import subprocess
import sys
import threading

import dask
import dask.array as da
import numpy as np
import pytest
from distributed import Client, LocalCluster

from saelib import DaskObjective, Parameters, SparseObjective, train
from saelib._passes import BiasUnitWeights, Buffers, backpropagate, sum_activations
from saelib.activations import ACTIVATIONS

pytestmark = pytest.mark.xdist_group("cluster")

dask.config.set({"distributed.scheduler.allowed-failures": 10})


def data(m=900, n=12, dtype=np.float64):
    return np.random.default_rng(0).uniform(0.1, 0.9, size=(m, n)).astype(dtype)


def weights(n=12, h=5):
    return Parameters.random(n, h, seed=1).ravel()


def assert_equal_to_1e12(objective, local, theta):
    terms, gradient = objective.evaluate(theta)
    expected_terms, expected_gradient = local.evaluate(theta)
    assert tuple(terms) == pytest.approx(tuple(expected_terms), rel=1e-12)
    distance = np.linalg.norm(gradient - expected_gradient)
    assert distance <= 1e-12 * np.linalg.norm(expected_gradient)


@pytest.fixture(scope="module")
def client():
    with (
        dask.config.set({"distributed.worker.daemon": True}),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.mark.equation("sparse-cost", "delta-hidden-sparse")
@pytest.mark.parametrize("chunks", [(900, 12), (300, 12), (271, 5), (10, 12)])
@pytest.mark.parametrize("options", [{}, {"activation": "tanh"}, {"output_activation": "linear"}])
def test_without_a_cluster_it_agrees_with_the_local_objective(chunks, options):
    X = data()
    objective = DaskObjective(da.from_array(X, chunks=chunks), 5, **options)
    with dask.config.set(scheduler="synchronous"):
        assert_equal_to_1e12(objective, SparseObjective(X, 5, **options), weights())


@pytest.mark.usefixtures("client")
def test_two_workers_agree_with_the_local_objective():
    X = data(m=4000)
    objective = DaskObjective(da.from_array(X, chunks=(500, 12)), 5)
    assert_equal_to_1e12(objective, SparseObjective(X, 5), weights())


@pytest.mark.usefixtures("client")
def test_training_on_two_workers_agrees_with_training_here():
    X = data()
    objective = DaskObjective(da.from_array(X, chunks=(250, 12)), 5, sparsity_target=0.1)
    there = train(objective, weights(), max_iter=5, progress=False)
    here = train(SparseObjective(X, 5, sparsity_target=0.1), weights(), max_iter=5, progress=False)
    assert there.history["total"] == pytest.approx(here.history["total"], rel=1e-10)
    assert there.theta == pytest.approx(here.theta, rel=1e-7, abs=1e-9)


def test_a_worker_killed_in_mid_training_loses_nothing(client):
    X = da.from_array(data(m=20_000, n=40), chunks=(1000, 40)).persist()
    objective = DaskObjective(X, 20)
    theta0 = weights(40, 20)
    undisturbed = train(objective, theta0, max_iter=4, progress=False)
    killed = []

    def kill_a_worker(iteration, theta):
        if iteration == 2:
            pid = next(iter(client.run(os.getpid).values()))
            killed.append(pid)
            # Shortly after the callback returns, in the midst of the next evaluation.
            threading.Timer(0.02, os.kill, (pid, signal.SIGKILL)).start()

    disturbed = train(objective, theta0, max_iter=4, progress=False, callback=kill_a_worker)
    assert killed
    client.wait_for_workers(2, timeout=30)
    assert killed[0] not in client.run(os.getpid).values()
    assert np.array_equal(disturbed.theta, undisturbed.theta)
    assert disturbed.n_iterations == 4


def test_the_weights_are_sent_once_per_pass_and_not_once_per_chunk(client):
    chunks = da.from_array(data(m=2000), chunks=(50, 12)).persist()
    objective = DaskObjective(chunks, 5)

    def received(dask_worker):
        log = dask_worker.transfer_incoming_log
        return [key for entry in log for key in entry["keys"] if "_hand_over" in str(key)]

    def all_received():
        return [key for worker in client.run(received).values() for key in worker]

    client.wait_for_workers(2, timeout=30)
    before = len(all_received())
    objective(weights())
    keys = all_received()[before:]
    # In each of the two passes one worker holds them first and the other fetches them.
    assert len(keys) == len(set(keys)) <= 2


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_dtypes_are_those_of_the_local_objective(dtype):
    X = (data() > 0.5).astype(dtype)
    objective = DaskObjective(da.from_array(X, chunks=(300, 12)), 5)
    local = SparseObjective(X, 5)
    with dask.config.set(scheduler="synchronous"):
        cost, _ = objective(weights())
        gradient = objective.evaluate(weights())[1]
    assert gradient.dtype == local.evaluate(weights())[1].dtype
    assert cost == pytest.approx(local(weights())[0], rel=1e-6)


def test_it_describes_itself():
    objective = DaskObjective(da.from_array(data(), chunks=(300, 12)), 5)
    assert "12-5-12 sigmoid on 900 examples" in repr(objective)
    assert objective.size == weights().size
    with dask.config.set(scheduler="synchronous"):
        assert repr(DaskObjective(da.from_array(data()), 5)).startswith("DaskObjective(12-5-12")


def test_mean_activations_are_those_of_the_local_objective():
    objective = DaskObjective(da.from_array(data(), chunks=(300, 12)), 5)
    with dask.config.set(scheduler="synchronous"):
        mean = objective.mean_activation(weights())
    assert mean == pytest.approx(SparseObjective(data(), 5).mean_activation(weights()), rel=1e-12)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (data(), TypeError, r"X is ndarray; give a dask\.array\.Array"),
        (da.zeros(5), ValueError, r"X has shape \(5,\); give 2 dimensions"),
        (da.zeros((0, 5)), ValueError, "neither of them 0"),
        (da.from_array(data())[da.from_array(data())[:, 0] > 0.5], ValueError, "compute_chunk_s"),
        (da.from_array(data() + 1, chunks=(300, 12)), ValueError, "sigmoid output reaches only"),
        (
            da.concatenate([da.zeros((7, 3)), da.full((4, 3), np.nan)]),
            ValueError,
            "X holds nan at row 7, column 0",
        ),
    ],
)
def test_bad_input_is_refused_as_by_the_local_objective(X, error, message):
    with dask.config.set(scheduler="synchronous"), pytest.raises(error, match=message):
        DaskObjective(X, 5)


def test_without_dask_the_error_says_what_to_install():
    program = "import sys; sys.modules['dask'] = None; from saelib import DaskObjective"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "pip install 'saelib[dask]'" in done.stderr


def test_without_stored_activations_the_gradient_is_the_same():
    X = data()
    sigmoid, slope, blocks = ACTIVATIONS["sigmoid"], np.zeros(6), [slice(0, 900)]
    w = BiasUnitWeights.of(Parameters.unravel(weights(), 12, 5), sigmoid, sigmoid)
    buffers = Buffers.of([blocks], 12, 5, X.dtype)
    A = np.empty((900, 6))
    sums = sum_activations(X, blocks, w, sigmoid, buffers, A)
    assert pytest.approx(sums, rel=1e-12) == A[:, :5].sum(axis=0)
    squares, stored = backpropagate(X, blocks, w, sigmoid, sigmoid, slope, buffers, A)
    assert backpropagate(X, blocks, w, sigmoid, sigmoid, slope, buffers) == (
        pytest.approx(squares, rel=1e-12),
        pytest.approx(stored, rel=1e-12),
    )
