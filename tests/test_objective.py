"""J_sparse and its gradient, against three independent computations of the same mathematics.

The first walks over examples, units and weights one by one in plain Python, as the lecture
notes do; the second takes central differences of the cost; the third is JAX's automatic
differentiation of a formula written for it. None of them uses a line of the code under test.
"""

import inspect
import math
from contextlib import contextmanager

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from saelib import Parameters, SparseObjective, _blas
from saelib import _passes as passes
from saelib.activations import ACTIVATIONS

jax.config.update("jax_enable_x64", True)

NETWORKS = [
    ("sigmoid", None),
    ("tanh", None),
    ("sigmoid", "linear"),
    ("tanh", "linear"),
    ("sigmoid", "tanh"),
    ("tanh", "sigmoid"),
]
PENALTIES = [
    {"weight_decay": 0.0, "sparsity_weight": 0.0},
    {"weight_decay": 0.03, "sparsity_weight": 0.0},
    {"weight_decay": 0.0, "sparsity_weight": 3.0},
    {"weight_decay": 1e-4, "sparsity_weight": 3.0},
]


@contextmanager
def blocks_of(n_rows):
    """Work on blocks of so many rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passes, "_rows_per_block", lambda *shape: n_rows)
        yield


@contextmanager
def cores(n_cores):
    """Work as on a machine with so many cores."""
    with pytest.MonkeyPatch.context() as patch, threadpool_limits(n_cores, user_api="blas"):
        patch.setattr(_blas, "available_cores", lambda: n_cores)
        yield


def some_data(m, n, output, seed, dtype=np.float64):
    low, high = {"sigmoid": (0.1, 0.9), "tanh": (-0.9, 0.9), "linear": (-3, 3)}[output]
    return np.random.default_rng(seed).uniform(low, high, size=(m, n)).astype(dtype)


def some_theta(n, h, seed, scale=0.5):
    return np.random.default_rng(seed).normal(scale=scale, size=2 * n * h + n + h)


def make(m, n, h, hidden, output, seed=0, dtype=np.float64, **options):
    X = some_data(m, n, output or hidden, seed, dtype)
    options = {"sparsity_target": 0.1, **options}
    return SparseObjective(X, h, activation=hidden, output_activation=output, **options)


def relative_distance(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(b)


# --- the loops of the lecture notes ------------------------------------------------------


def loops(objective, theta):
    """Return the terms and the gradient, computed one number at a time."""
    n, h, m = objective.n_features, objective.n_hidden, len(objective.X)
    lam, beta, rho = (
        objective.weight_decay,
        objective.sparsity_weight,
        objective.sparsity_target,
    )
    theta = [float(value) for value in theta]
    W1 = [theta[i * n : (i + 1) * n] for i in range(h)]
    W2 = [theta[h * n + i * h : h * n + (i + 1) * h] for i in range(n)]
    b1, b2 = theta[2 * h * n : 2 * h * n + h], theta[2 * h * n + h :]
    functions = {
        "sigmoid": (lambda z: 1 / (1 + math.exp(-z)), lambda z: 1 / (2 + 2 * math.cosh(z))),
        "tanh": (math.tanh, lambda z: 1 / math.cosh(z) ** 2),
        "linear": (lambda z: z, lambda z: 1.0),
    }  # fmt: skip
    f, slope = functions[objective.activation]
    f_out, slope_out = functions[objective.output_activation]
    tanh = objective.activation == "tanh"

    X = objective.X.astype(float).tolist()
    Z1 = [[sum(W1[j][k] * x[k] for k in range(n)) + b1[j] for j in range(h)] for x in X]
    A = [[f(z) for z in row] for row in Z1]
    Z2 = [[sum(W2[k][j] * a[j] for j in range(h)) + b2[k] for k in range(n)] for a in A]
    rho_hat = [sum((1 + a[j]) / 2 if tanh else a[j] for a in A) / m for j in range(h)]

    reconstruction = sum((f_out(Z2[i][k]) - X[i][k]) ** 2 for i in range(m) for k in range(n))
    decay = sum(w**2 for W in (W1, W2) for row in W for w in row)
    kl = sum(rho * math.log(rho / r) + (1 - rho) * math.log((1 - rho) / (1 - r)) for r in rho_hat)
    dW1 = [[lam * w for w in row] for row in W1]
    dW2 = [[lam * w for w in row] for row in W2]
    db1, db2 = [0.0] * h, [0.0] * n
    for i in range(m):
        delta3 = [(f_out(z) - x) * slope_out(z) for z, x in zip(Z2[i], X[i], strict=True)]
        for k in range(n):
            db2[k] += delta3[k] / m
            for j in range(h):
                dW2[k][j] += delta3[k] * A[i][j] / m
        for j in range(h):
            penalty = beta * (-rho / rho_hat[j] + (1 - rho) / (1 - rho_hat[j]))
            penalty *= 0.5 if tanh else 1.0
            back = sum(W2[k][j] * delta3[k] for k in range(n))
            delta2 = (back + penalty) * slope(Z1[i][j])
            db1[j] += delta2 / m
            for k in range(n):
                dW1[j][k] += delta2 * X[i][k] / m
    gradient = [v for W in (dW1, dW2) for row in W for v in row] + db1 + db2
    return (reconstruction / (2 * m), lam / 2 * decay, beta * kl), np.array(gradient)


@pytest.mark.equation(
    "reconstruction-cost",
    "weight-decay",
    "sparse-cost",
    "delta-output",
    "delta-hidden-sparse",
    "weight-gradients",
    "mean-activation",
    "mean-activation-tanh",
)
@pytest.mark.parametrize(("hidden", "output"), NETWORKS)
@settings(deadline=None, max_examples=15)
@given(
    m=st.integers(1, 6),
    n=st.integers(1, 4),
    h=st.integers(1, 4),
    seed=st.integers(0, 9999),
    penalties=st.sampled_from(PENALTIES),
    rho=st.floats(0.01, 0.6),
)
def test_terms_and_gradient_agree_with_loops(hidden, output, m, n, h, seed, penalties, rho):
    objective = make(m, n, h, hidden, output, seed, sparsity_target=rho, **penalties)
    theta = some_theta(n, h, seed + 1)
    expected_terms, expected_gradient = loops(objective, theta)
    terms, gradient = objective.evaluate(theta)
    assert tuple(terms) == pytest.approx(expected_terms, rel=1e-12, abs=1e-14)
    assert gradient == pytest.approx(expected_gradient, rel=1e-11, abs=1e-13)


# --- central differences ------------------------------------------------------------------


def central_differences(cost, theta, step=1e-4):
    gradient = np.empty_like(theta)
    for i in range(len(theta)):
        e = np.zeros_like(theta)
        e[i] = step
        gradient[i] = (cost(theta + e) - cost(theta - e)) / (2 * step)
    return gradient


@pytest.mark.equation(
    "delta-output", "delta-hidden-sparse", "weight-gradients", "central-difference"
)
@pytest.mark.parametrize(("hidden", "output"), NETWORKS)
@pytest.mark.parametrize("penalties", PENALTIES)
@settings(deadline=None, max_examples=8)
@given(m=st.integers(1, 40), n=st.integers(1, 6), h=st.integers(1, 6), seed=st.integers(0, 9999))
def test_gradient_agrees_with_central_differences(hidden, output, penalties, m, n, h, seed):
    objective = make(m, n, h, hidden, output, seed, **penalties)
    theta = some_theta(n, h, seed + 1)
    expected = central_differences(lambda t: objective(t)[0], theta)
    _, gradient = objective(theta)
    error = np.linalg.norm(gradient - expected) / np.linalg.norm(gradient + expected)
    assert error < 1e-7


# --- JAX ----------------------------------------------------------------------------------


def jax_cost(theta, X, h, hidden, output, lam, beta, rho):
    n = X.shape[1]
    W1, W2 = theta[: h * n].reshape(h, n), theta[h * n : 2 * h * n].reshape(n, h)
    b1, b2 = theta[2 * h * n : 2 * h * n + h], theta[2 * h * n + h :]
    functions = {"sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "linear": lambda z: z}
    A = functions[hidden](X @ W1.T + b1)
    Y = functions[output or hidden](A @ W2.T + b2)
    rho_hat = jnp.mean((1 + A) / 2 if hidden == "tanh" else A, axis=0)
    kl = rho * jnp.log(rho / rho_hat) + (1 - rho) * jnp.log((1 - rho) / (1 - rho_hat))
    return (
        jnp.mean(jnp.sum((Y - X) ** 2, axis=1)) / 2
        + lam / 2 * (jnp.sum(W1**2) + jnp.sum(W2**2))
        + beta * jnp.sum(kl)
    )


jax_value_and_grad = jax.jit(jax.value_and_grad(jax_cost), static_argnums=(2, 3, 4))


@pytest.mark.equation(
    "sparse-cost", "delta-output", "delta-hidden-sparse", "weight-gradients", "reconstruction-cost"
)
@pytest.mark.parametrize(("hidden", "output"), NETWORKS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("m", "n", "h"), [(1, 1, 1), (7, 5, 3), (300, 8, 12), (2500, 20, 6)])
@settings(deadline=None, max_examples=4)
@given(seed=st.integers(0, 9999), penalties=st.sampled_from(PENALTIES))
def test_cost_and_gradient_agree_with_autograd(hidden, output, dtype, m, n, h, seed, penalties):
    objective = make(m, n, h, hidden, output, seed, dtype, **penalties)
    # Weights that do not saturate the units: where 1 - rho_hat is 1e-3, float32 has three digits
    # less of it to compare.
    theta = some_theta(n, h, seed + 1, scale=0.25).astype(dtype)
    expected_cost, expected_gradient = jax_value_and_grad(
        theta.astype(np.float64), objective.X.astype(np.float64), h, hidden, output,
        objective.weight_decay, objective.sparsity_weight, objective.sparsity_target,
    )  # fmt: skip
    (cost, gradient), of_evaluate = objective(theta), objective.evaluate(theta)[1]
    tolerance = {np.float64: 1e-12, np.float32: 1e-5}[dtype]
    assert of_evaluate.dtype == dtype
    assert gradient.dtype == np.float64  # as every optimizer of scipy wants it
    assert np.array_equal(gradient, of_evaluate)
    assert cost == pytest.approx(float(expected_cost), rel=tolerance)
    assert relative_distance(gradient, np.asarray(expected_gradient)) < tolerance


@pytest.mark.equation("weight-decay")
def test_biases_do_not_decay():
    n, h = 3, 2
    plain = make(20, n, h, "sigmoid", None, weight_decay=0.0)
    decayed = make(20, n, h, "sigmoid", None, weight_decay=0.5)
    theta = some_theta(n, h, 0)
    difference = decayed(theta)[1] - plain(theta)[1]
    assert difference[: 2 * n * h] == pytest.approx(0.5 * theta[: 2 * n * h])
    assert difference[2 * n * h :].tolist() == [0.0] * (n + h)


@pytest.mark.equation("mean-activation-tanh", "delta-hidden-sparse")
def test_a_tanh_unit_takes_half_the_slope_of_the_penalty():
    """A tanh unit is 2 sigmoid(2z) - 1, so both must see the same penalty, and half per unit z."""
    n, h = 3, 2
    options = {"weight_decay": 0.0, "sparsity_weight": 5.0, "output_activation": "linear"}
    X = some_data(30, n, "linear", 0)
    theta = some_theta(n, h, 1)
    p = Parameters.unravel(theta, n, h)
    # The same hidden units, once as tanh(z), once as sigmoid(2z); the decoder undoes the scale.
    same = Parameters(2 * p.W1, 2 * p.W2, 2 * p.b1, p.b2 - p.W2.sum(axis=1))
    tanh_terms, tanh_gradient = SparseObjective(X, h, activation="tanh", **options).evaluate(theta)
    terms, gradient = SparseObjective(X, h, activation="sigmoid", **options).evaluate(same.ravel())
    assert tuple(tanh_terms) == pytest.approx(tuple(terms), rel=1e-12)
    g_tanh, g = Parameters.unravel(tanh_gradient, n, h), Parameters.unravel(gradient, n, h)
    assert pytest.approx(2 * g.W1, rel=1e-10) == g_tanh.W1
    assert g_tanh.b1 == pytest.approx(2 * g.b1, rel=1e-10)


@pytest.mark.equation("sparse-cost")
def test_terms_evaluate_and_call_agree():
    objective = make(50, 4, 3, "sigmoid", None)
    theta = some_theta(4, 3, 1)
    cost, gradient = objective(theta)
    terms, same_gradient = objective.evaluate(theta)
    assert objective.terms(theta) == terms
    assert terms.total == cost == sum(terms)
    assert np.array_equal(gradient, same_gradient)
    assert isinstance(cost, float)


# --- saturated units ----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("hidden", ["sigmoid", "tanh"])
@pytest.mark.parametrize("bias", [-1e4, 1e4])
def test_saturated_units_give_a_large_finite_cost_and_a_finite_gradient(hidden, dtype, bias):
    n, h = 4, 3
    objective = make(40, n, h, hidden, None, dtype=dtype)
    theta = some_theta(n, h, 1)
    theta[2 * n * h : 2 * n * h + h] = bias
    cost, gradient = objective(theta)
    assert math.isfinite(cost)
    assert objective.terms(theta).sparsity > 10
    assert np.all(np.isfinite(gradient))


def log_sigmoid(z):
    return -math.log1p(math.exp(-z)) if z > 0 else z - math.log1p(math.exp(z))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("hidden", ["sigmoid", "tanh"])
@pytest.mark.parametrize("z", [-20.0, -15.0, -10.0, -5.0, -1.0, 0.0, 1.0, 2.0, 3.0])
def test_far_out_the_penalty_and_its_slope_are_those_of_the_closed_form(hidden, dtype, z):
    """One example, one unit: rho_hat = sigmoid(u), u = z or 2 z, and dKL/du = rho_hat - rho."""
    rho, width = 0.05, 2.0 if hidden == "tanh" else 1.0
    u = width * z
    objective = SparseObjective(
        np.zeros((1, 1), dtype), 1, activation=hidden, output_activation="linear",
        sparsity_target=rho, sparsity_weight=1.0, weight_decay=0.0,
    )  # fmt: skip
    # With W2 = 0 and b2 = 0 there is no error, so all of the gradient comes from the penalty.
    terms, gradient = objective.evaluate(np.array([0.3, 0.0, z, 0.0]))
    expected = rho * (math.log(rho) - log_sigmoid(u)) + (1 - rho) * (
        math.log(1 - rho) - log_sigmoid(-u)
    )
    tolerance = {np.float64: 1e-12, np.float32: 2e-4}[dtype]
    assert terms.sparsity == pytest.approx(expected, rel=tolerance)
    rho_hat = math.exp(log_sigmoid(u))
    assert gradient[2] == pytest.approx(width * (rho_hat - rho), rel=tolerance)
    assert objective.mean_activation(np.array([0.3, 0.0, z, 0.0]))[0] == pytest.approx(
        rho_hat, rel=tolerance
    )


@pytest.mark.parametrize(
    ("hidden", "dtype", "limit"),
    [
        ("sigmoid", np.float32, 18), ("sigmoid", np.float64, 38),
        ("tanh", np.float32, 9), ("tanh", np.float64, 19),
    ],
)  # fmt: skip
def test_at_the_upper_end_the_gradient_vanishes_from_the_documented_limit_on(hidden, dtype, limit):
    objective = SparseObjective(
        np.zeros((1, 1), dtype), 1, activation=hidden, output_activation="linear"
    )
    slopes = [objective(np.array([0.0, 0.0, z, 0.0]))[1][2] for z in (limit - 2.5, limit)]
    assert slopes[0] > 0
    assert slopes[1] == 0


def test_a_zero_gradient_at_a_perfect_network_is_reported_as_such():
    X = np.full((10, 3), 0.5)
    objective = SparseObjective(X, 2, sparsity_target=0.5)
    cost, gradient = objective(np.zeros(objective.size))
    assert cost == 0
    assert not gradient.any()


# --- blocks, threads and BLAS -------------------------------------------------------------


@pytest.mark.parametrize("m", [1, 2, 9, 10, 11, 19, 20, 21, 159, 160, 161, 170, 333])
def test_cutting_the_rows_into_blocks_changes_nothing_but_the_rounding(m):
    objective = make(m, 5, 4, "sigmoid", None)
    theta = some_theta(5, 4, 1)
    terms, gradient = objective.evaluate(theta)
    with blocks_of(10):
        blocked = make(m, 5, 4, "sigmoid", None)
    blocked_terms, blocked_gradient = blocked.evaluate(theta)
    assert tuple(blocked_terms) == pytest.approx(tuple(terms), rel=1e-13)
    assert blocked_gradient == pytest.approx(gradient, rel=1e-11, abs=1e-14)


@pytest.mark.parametrize("rows", [1, 3, 4, 7, 32, 33])
@pytest.mark.parametrize("output", ["sigmoid", "tanh", "linear"])
def test_cutting_the_blocks_into_tiles_changes_nothing_but_the_rounding(rows, output, monkeypatch):
    objective = make(65, 5, 4, "sigmoid", output)
    theta = some_theta(5, 4, 1)
    terms, gradient = objective.evaluate(theta)
    monkeypatch.setattr(passes, "_BYTES_PER_TILE", rows * 5 * 8)
    with blocks_of(33):
        tiled = make(65, 5, 4, "sigmoid", output)
    tiled_terms, tiled_gradient = tiled.evaluate(theta)
    assert tiled._sums._buffers[0].slope3.shape == (rows, 5)
    assert tuple(tiled_terms) == pytest.approx(tuple(terms), rel=1e-13)
    assert tiled_gradient == pytest.approx(gradient, rel=1e-11, abs=1e-14)


def test_a_row_longer_than_a_tile_is_a_tile_of_its_own(monkeypatch):
    theta = some_theta(5, 4, 1)
    expected = make(9, 5, 4, "sigmoid", None)(theta)
    monkeypatch.setattr(passes, "_BYTES_PER_TILE", 8)
    cost, gradient = make(9, 5, 4, "sigmoid", None)(theta)
    assert cost == pytest.approx(expected[0], rel=1e-13)
    assert gradient == pytest.approx(expected[1], rel=1e-11, abs=1e-14)


@pytest.mark.parametrize("most", [1, 2, 7, 8, 100])
@pytest.mark.parametrize("n_rows", [1, 2, 7, 8, 9, 15, 16, 17, 99, 100, 101])
def test_every_row_of_a_block_is_in_one_tile(n_rows, most):
    tiles = passes._tiles(n_rows, most)
    lengths = [len(range(n_rows)[tile]) for tile in tiles]
    assert [row for tile in tiles for row in range(n_rows)[tile]] == list(range(n_rows))
    assert 1 <= min(lengths) <= max(lengths) <= most
    assert len(tiles) == -(-n_rows // most)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(1,), (3, 5), (1000, 65)])
def test_the_buffers_start_where_vector_instructions_load(shape, dtype):
    buffer = passes._aligned_empty(shape, dtype)
    assert buffer.ctypes.data % 64 == 0
    assert (buffer.shape, buffer.dtype) == (shape, dtype)
    assert buffer.flags.c_contiguous
    assert buffer.flags.writeable


@pytest.mark.parametrize("m", [1, 2, 3, 9, 10, 11, 64, 65, 159, 160, 161, 1000])
@pytest.mark.parametrize("rows", [3, 10, 2000])
def test_every_row_is_in_one_block_and_the_shares_are_even(m, rows):
    shares = passes._shares(m, rows)
    blocks = [block for share in shares for block in share]
    assert [row for block in blocks for row in range(m)[block]] == list(range(m))
    lengths = [block.stop - block.start for block in blocks]
    assert 1 <= min(lengths) <= max(lengths) <= rows
    assert max(lengths) - min(lengths) <= 1
    assert len(shares) in (1, 2, 4, 8, 16)
    assert len({len(share) for share in shares}) == 1


@pytest.mark.parametrize("hidden", ["sigmoid", "tanh"])
def test_activations_that_are_not_kept_are_computed_again_to_the_same_bits(hidden, monkeypatch):
    X = some_data(3000, 8, "sigmoid", 0)
    theta = some_theta(8, 20, 1)
    kept = SparseObjective(X, 20, activation=hidden, output_activation="sigmoid")
    again = SparseObjective(X, 20, activation=hidden, output_activation="sigmoid")
    terms, gradient = kept.evaluate(theta)
    assert kept._sums._spare
    monkeypatch.setattr(passes, "_MAX_BYTES_KEPT", X.nbytes)  # A takes 2.5 times that
    again_terms, again_gradient = again.evaluate(theta)
    assert not again._sums._spare
    assert terms == again_terms
    assert np.array_equal(gradient, again_gradient)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("m", "n", "h"), [(5000, 64, 25), (3001, 100, 200), (40, 3, 2)])
def test_one_thread_and_two_give_the_same_bits(dtype, m, n, h):
    objective = make(m, n, h, "sigmoid", None, dtype=dtype)
    theta = some_theta(n, h, 1, scale=0.1)
    results = []
    for n_cores in (1, 2, 3):
        with cores(n_cores):
            results.append(objective.evaluate(theta))
    for terms, gradient in results[1:]:
        assert terms == results[0][0]
        assert np.array_equal(gradient, results[0][1])


# --- input --------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.int64, np.bool_, np.uint8, np.float16, object, ">f8"])
def test_other_number_types_are_computed_in_float64(dtype):
    X = np.array([[0, 1, 1], [1, 0, 1]])
    theta = some_theta(3, 2, 0)
    objective = SparseObjective(X.astype(dtype), 2)
    assert objective.X.dtype == np.float64
    assert objective(theta)[0] == SparseObjective(X.astype(float), 2)(theta)[0]


def test_the_layout_of_the_data_does_not_matter():
    X = some_data(60, 7, "sigmoid", 0)
    theta = some_theta(7, 3, 1)
    cost, gradient = SparseObjective(X, 3)(theta)
    read_only = X.copy()
    read_only.flags.writeable = False
    for same in (np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2], read_only, X.tolist()):
        other_cost, other_gradient = SparseObjective(same, 3)(theta)
        assert other_cost == pytest.approx(cost, rel=1e-13)
        assert other_gradient == pytest.approx(gradient, rel=1e-11, abs=1e-14)


def test_float_data_are_used_in_place():
    X = some_data(60, 7, "sigmoid", 0)
    assert np.shares_memory(SparseObjective(X, 3).X, X)


def test_neither_data_nor_theta_are_changed():
    X = some_data(60, 7, "sigmoid", 0)
    theta = some_theta(7, 3, 1)
    before = X.copy(), theta.copy()
    SparseObjective(X, 3)(theta)
    assert np.array_equal(X, before[0])
    assert np.array_equal(theta, before[1])


def test_the_description_names_what_matters():
    objective = make(50, 4, 3, "tanh", None)
    assert repr(objective).startswith("SparseObjective(4-3-4 tanh on 50 examples, weight_decay=")
    assert objective.size == 2 * 4 * 3 + 4 + 3
    assert (objective.activation, objective.output_activation) == ("tanh", "tanh")


GOOD = np.full((4, 3), 0.5)


def with_entry(value):
    X = np.full((10, 3), 0.5)
    X[7, 2] = value
    return X


BAD_INPUT = {
    "1-D": ({"X": np.full(4, 0.5)}, ValueError, r"X has shape \(4,\).*X.reshape"),
    "3-D": ({"X": np.full((2, 2, 2), 0.5)}, ValueError, r"X has shape \(2, 2, 2\)"),
    "None": ({"X": None}, (ValueError, TypeError), "X "),
    "no rows": ({"X": np.empty((0, 3))}, ValueError, "at least one example"),
    "no columns": ({"X": np.empty((3, 0))}, ValueError, "one feature"),
    "NaN": ({"X": with_entry(np.nan)}, ValueError, "X holds nan at row 7, column 2"),
    "infinity": ({"X": with_entry(np.inf)}, ValueError, "X holds inf at row 7, column 2"),
    "too high": ({"X": with_entry(1.5)}, ValueError, r"from 0.5 to 1.5.*sigmoid.*\[0, 1\]"),
    "too low": ({"X": with_entry(-0.1)}, ValueError, r"from -0.1 .*output_activation=.linear"),
    "beyond tanh": (
        {"X": with_entry(-1.1), "activation": "tanh"}, ValueError, r"tanh output.*\[-1, 1\]",
    ),
    "words": ({"X": [["a", "b"]]}, TypeError, "X is list.*array of numbers"),
    "numbers in words": ({"X": [["0.1", "0.2"]]}, TypeError, "X is list.*type <U3"),
    "dates": ({"X": np.zeros((2, 2), "M8[D]")}, TypeError, "X is ndarray.*datetime64"),
    "complex": ({"X": GOOD + 0j}, TypeError, "X is ndarray.*complex128"),
    "ragged": ({"X": [[0.1, 0.2], [0.3]]}, TypeError, "X is list.*n_samples, n_features"),
    "masked": (
        {"X": np.ma.masked_array(GOOD, GOOD > 0)}, ValueError, "X is a masked array.*fill them in",
    ),
    "no units": ({"n_hidden": 0}, ValueError, "n_hidden is 0; it must be at least 1"),
    "half a unit": ({"n_hidden": 2.5}, TypeError, "n_hidden is 2.5 of type float"),
    "bool units": ({"n_hidden": True}, TypeError, "n_hidden is True of type bool"),
    "negative decay": ({"weight_decay": -1e-4}, ValueError, r"weight_decay is -0.0001.*\[0, inf\)"),
    "infinite decay": ({"weight_decay": np.inf}, ValueError, "weight_decay is inf"),
    "decay in words": ({"weight_decay": "small"}, TypeError, "weight_decay is 'small' of type str"),
    "target 0": ({"sparsity_target": 0.0}, ValueError, r"sparsity_target is 0.0.*\(0, 1\)"),
    "target 1": ({"sparsity_target": 1}, ValueError, r"sparsity_target is 1.*\(0, 1\)"),
    "target NaN": ({"sparsity_target": np.nan}, ValueError, "sparsity_target is nan"),
    "target list": ({"sparsity_target": [0.1]}, TypeError, "sparsity_target is .* of type list"),
    "negative weight": ({"sparsity_weight": -3}, ValueError, "sparsity_weight is -3"),
    "weight None": ({"sparsity_weight": None}, TypeError, "sparsity_weight is None of type None"),
    "relu": ({"activation": "relu"}, ValueError, "activation is 'relu'; choose one of 'sigmoid'"),
    "linear units": ({"activation": "linear"}, ValueError, "activation is 'linear'; choose one"),
    "softmax": ({"output_activation": "softmax"}, ValueError, "output_activation is 'softmax'"),
}  # fmt: skip


@pytest.mark.parametrize("case", list(BAD_INPUT))
def test_bad_input_is_refused_with_what_it_was_and_what_is_allowed(case):
    arguments, error, message = BAD_INPUT[case]
    with pytest.raises(error, match=message):
        SparseObjective(**{"X": GOOD, "n_hidden": 2, **arguments})


def test_whole_numbers_must_not_exceed_their_upper_bound():
    from saelib._validation import whole_number

    assert whole_number("k", np.int64(3), low=1, high=3) == 3
    with pytest.raises(ValueError, match="k is 4; it must be between 1 and 3"):
        whole_number("k", 4, low=1, high=3)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_theta_that_is_not_finite_is_refused(value):
    objective = make(10, 3, 2, "sigmoid", None)
    theta = some_theta(3, 2, 0)
    theta[5] = value
    with pytest.raises(ValueError, match="theta holds NaN, infinity"):
        objective(theta)


def test_theta_beyond_float32_is_refused_when_the_data_are_float32():
    objective = make(10, 3, 2, "sigmoid", None, dtype=np.float32)
    with pytest.raises(ValueError, match="too large for float32"):
        objective(np.full(objective.size, 1e39))


@pytest.mark.parametrize("length", [0, 16, 18])
def test_theta_of_the_wrong_length_is_refused(length):
    objective = make(10, 3, 2, "sigmoid", None)
    with pytest.raises(ValueError, match=rf"theta has shape \({length},\).*need shape \(17,\)"):
        objective(np.zeros(length))


# --- what is easily lost ------------------------------------------------------------------


def test_the_defaults_are_those_of_the_assignment():
    defaults = inspect.signature(SparseObjective).parameters
    names = ("weight_decay", "sparsity_target", "sparsity_weight")
    assert [defaults[name].default for name in names] == [1e-4, 0.01, 3.0]


def test_sums_over_the_rows_are_kept_in_float64_for_data_in_float32():
    X = some_data(40, 3, "sigmoid", 0, np.float32)
    f = ACTIVATIONS["sigmoid"]
    p = Parameters.unravel(some_theta(3, 2, 1).astype(np.float32), 3, 2)
    w = passes.BiasUnitWeights.of(p, f, f)
    buffers = passes.Buffers.of([[slice(0, 40)]], 3, 2, X.dtype)
    assert passes.sum_activations(X, [slice(0, 40)], w, f, buffers).dtype == np.float64


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_outputs_far_out_give_no_warning(dtype):
    """exp overflows on its way to the right output, 0."""
    objective = make(40, 3, 2, "sigmoid", None, dtype=dtype)
    theta = some_theta(3, 2, 1)
    theta[-3:] = -1e4
    terms, _ = objective.evaluate(theta)
    assert terms.reconstruction == pytest.approx(np.sum(objective.X**2.0) / 80, rel=1e-5)


def test_in_single_precision_units_that_are_nearly_always_on_are_told_from_one():
    """A long sum in float32 would lose what is left of 1 - rho_hat, ten times as much as here."""
    rng = np.random.default_rng(0)
    X = rng.uniform(0.1, 0.9, size=(5000, 20)).astype(np.float32)
    W = rng.normal(scale=0.2, size=(6, 20))
    theta = Parameters(W, W.T, np.full(6, 4.0), np.zeros(20)).ravel().astype(np.float32)
    single = SparseObjective(X, 6).mean_activation(theta)
    double = SparseObjective(X.astype(np.float64), 6).mean_activation(theta)
    assert 0.005 < np.min(1 - double) < np.max(1 - double) < 0.1
    # An activation of 1 - d is rounded to 6e-8, which is 6e-8 / d of its distance from 1.
    np.testing.assert_allclose(1 - single, 1 - double, rtol=6e-8 / 0.005)


def test_the_second_pass_swallows_nothing_but_overflow(monkeypatch):
    seen, output_delta = [], passes._output_delta

    def watched(*arguments):
        seen.append(np.geterr())
        return output_delta(*arguments)

    monkeypatch.setattr(passes, "_output_delta", watched)
    outside = {"divide": "warn", "over": "raise", "under": "ignore", "invalid": "raise"}
    theta = some_theta(3, 2, 1)
    theta[-3:] = -1e4  # exp overflows on its way to the right output, 0
    with np.errstate(**outside):
        make(40, 3, 2, "sigmoid", None).evaluate(theta)
        assert np.geterr() == outside
    assert seen == [{**outside, "over": "ignore"}]


def test_the_first_pass_swallows_nothing_but_overflow(monkeypatch):
    seen, hidden_layer = [], passes._hidden_layer

    def watched(*arguments, **more):
        seen.append(np.geterr())
        return hidden_layer(*arguments, **more)

    monkeypatch.setattr(passes, "_hidden_layer", watched)
    outside = {"divide": "warn", "over": "raise", "under": "ignore", "invalid": "raise"}
    theta = some_theta(3, 2, 1)
    theta[-5:-3] = -1e4
    with np.errstate(**outside):
        make(40, 3, 2, "sigmoid", None).mean_activation(theta)
        assert np.geterr() == outside
    assert seen == [{**outside, "over": "ignore"}]


@pytest.mark.parametrize(
    ("n", "h", "itemsize", "rows"),
    [
        (784, 196, 8, 534),  # 4 MiB of inputs, activations and errors
        (784, 196, 4, 1069),
        (64, 25, 8, 2500),  # no longer, however short the rows
        (10_000, 5000, 8, 250),  # and no shorter, however long
    ],
)
def test_a_block_is_long_enough_for_products_and_short_enough_for_a_cache(n, h, itemsize, rows):
    assert passes._rows_per_block(n, h, itemsize) == rows


@pytest.mark.parametrize(
    ("n", "itemsize", "rows"), [(784, 8, 104), (784, 4, 208), (64, 8, 535), (10**6, 8, 1)]
)
def test_the_outputs_of_a_tile_leave_room_in_a_cache_of_two_mebibytes(n, itemsize, rows):
    shares = [[slice(0, 535)]]
    buffers = passes.Buffers.of(shares, n, 1, {8: np.float64, 4: np.float32}[itemsize])
    assert len(buffers.slope3) == rows
    assert len(buffers.A) == 535


def test_there_are_never_more_than_sixteen_shares_and_always_a_power_of_two():
    found = [len(passes._shares(m, 100)) for m in (1, 100, 101, 350, 700, 1600, 10**6)]
    assert found == [1, 1, 2, 4, 8, 16, 16]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_activation_of_the_bias_unit_is_1_to_the_last_bit(dtype):
    f = ACTIVATIONS["sigmoid"]
    p = Parameters.unravel(some_theta(3, 2, 1).astype(dtype), 3, 2)
    w = passes.BiasUnitWeights.of(p, f, f)
    ends = f.of_signed(w.b1[-1:].copy(), out=np.empty(1, dtype))
    assert ends.dtype == dtype
    assert ends == 1


def test_sums_of_many_rows_in_float32_are_as_good_as_in_float64():
    """Ones that are 1 but for their last bits: a long sum in float32 loses what is left of them."""
    rng = np.random.default_rng(1)
    X = rng.uniform(0.1, 0.9, size=(2500, 3)).astype(np.float32)
    f = ACTIVATIONS["sigmoid"]
    p = Parameters(np.zeros((1, 3)), np.zeros((3, 1)), np.array([9.0]), np.zeros(3))
    small = Parameters(*(block.astype(np.float32) for block in (p.W1, p.W2, p.b1, p.b2)))
    w = passes.BiasUnitWeights.of(small, f, f)
    buffers = passes.Buffers.of([[slice(0, 2500)]], 3, 1, np.dtype(np.float32))
    A = np.empty((2500, 2), np.float32)
    sums = passes.sum_activations(X, [slice(0, 2500)], w, f, buffers, A)
    exact = A[:, 0].sum(dtype=np.float64)
    # 250 numbers of nearly 1 add up to a rounding of 250 / 2^24 at most, ten times over.
    assert abs(sums[0] - exact) < 2500 * 2.0**-24 * 250 / 16
    assert passes._ROWS_PER_SINGLE_SUM == 250
