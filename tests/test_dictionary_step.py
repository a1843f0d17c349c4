"""A step in blocks and threads against the plain one, which is the specification."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from saelib import Parameters, dictionary_training, relative_error
from saelib import _dictionary_passes as passes
from saelib import _dictionary_step as steps
from saelib._dictionary_step import BlockedStep, Moment, Settings, can_be_tiled, plain_step
from saelib._minibatch import Adam, adam_step_into
from saelib.codes import BatchTopK, KLSigmoid, L1ReLU, LearningRule, Threshold, TopK
from saelib.dictionary import unit_start
from saelib.dictionary_training import train_dictionary
from saelib.thresholds import Gated, JumpReLU

# Rows, features, hidden units: none is a multiple of what it is divided into.
M, N, H = 83, 7, 50
RULES = [
    L1ReLU(0.1),
    TopK(3),  # few of 50: sparse products
    TopK(20),
    BatchTopK(2.5),
    Threshold(0.3),
    JumpReLU(0.05),
    Gated(0.4, threshold=0.1, scale=1.3),
]
in_every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: repr(rule).split(",")[0])


@pytest.fixture(autouse=True)
def _small_tiles(monkeypatch):
    """Have the few rows and units of these tests divided as many are."""
    monkeypatch.setattr(passes, "_MIN_ROWS", 8)
    monkeypatch.setattr(passes, "_MAX_ROWS", 32)
    monkeypatch.setattr(passes, "_ROWS_PER_SUM", 3)
    monkeypatch.setattr(passes, "_BYTES_PER_PIECE", 5 * 8 * H)
    monkeypatch.setattr(steps, "_UNITS_PER_BLOCK", 16)


def beginning(seed, rule, dtype, n=N, h=H):
    """First weights with biases that are not 0, and what Adam starts from."""
    rng = np.random.default_rng(seed)
    start = unit_start(n, h, rng).ravel()
    start[2 * n * h :] += rng.normal(scale=0.2, size=n + h)
    own = rule.own_numbers(h) if isinstance(rule, LearningRule) else np.empty(0)
    theta = np.concatenate([start, own]).astype(dtype)
    return Moment(theta, Adam(np.zeros_like(theta), np.zeros_like(theta)), np.zeros(h, int))


def data(seed, dtype, m=M, n=N):
    return np.random.default_rng([seed, 1]).normal(size=(m, n)).astype(dtype)


def after(step, now, X, rule, chosen, n_steps=4):
    """The costs and the moment after some steps."""
    costs = []
    for _ in range(n_steps):
        if isinstance(rule, LearningRule):
            rule = rule.with_own_numbers(now.theta[2 * N * H + N + H :])
        cost, now = step(now, X, rule, chosen, 1e-3)
        costs.append(cost)
    return np.array(costs), now


@in_every_rule
@pytest.mark.parametrize(
    "chosen", [Settings(), Settings(revive_after=0), Settings(fix_norms=False)], ids=str
)
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10_000), dtype=st.sampled_from([np.float32, np.float64]))
def test_the_blocked_step_is_the_plain_one_but_for_the_rounding(rule, chosen, seed, dtype):
    X, now = data(seed, dtype), beginning(seed, rule, dtype)
    costs, plain = after(plain_step, now, X, rule, chosen)
    blocked_costs, blocked = after(BlockedStep(M, N, H, dtype), now, X, rule, chosen)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(blocked_costs, costs, rtol=20 * eps)
    assert relative_error(blocked.adam.mean, plain.adam.mean) < 20 * eps
    assert relative_error(blocked.adam.mean_square, plain.adam.mean_square) < 20 * eps
    # Where a gradient is next to 0, its rounding decides about the sign, and so about a step.
    assert np.median(np.abs(blocked.theta - plain.theta)) < 20 * eps
    assert np.array_equal(blocked.silent, plain.silent)
    assert blocked.theta.dtype == blocked.adam.mean.dtype == blocked.adam.mean_square.dtype == dtype
    assert blocked.n_done == plain.n_done


@pytest.mark.parametrize("rule", [rule for rule in RULES if type(rule) is not BatchTopK], ids=repr)
@settings(max_examples=4, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    dtype=st.sampled_from([np.float32, np.float64]),
    prefixes=st.sampled_from([(H,), (10, H), (3, 16, 17, H)]),
    revive_after=st.sampled_from([None, 0]),
)
def test_nested_prefixes_in_blocks_are_the_plain_ones_but_for_the_rounding(
    rule, seed, dtype, prefixes, revive_after
):
    X, now = data(seed, dtype), beginning(seed, rule, dtype)
    chosen = Settings(prefixes=prefixes, revive_after=revive_after)
    costs, plain = after(plain_step, now, X, rule, chosen)
    blocked_costs, blocked = after(BlockedStep(M, N, H, dtype), now, X, rule, chosen)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(blocked_costs, costs, rtol=20 * eps)
    assert relative_error(blocked.adam.mean, plain.adam.mean) < 20 * eps
    assert np.array_equal(blocked.silent, plain.silent)


def test_prefixes_that_do_not_rise_are_refused_in_blocks_too():
    with pytest.raises(ValueError, match="prefixes is \\[3, 3, 50\\]; they must rise"):
        a_step()(
            *(beginning(1, TopK(3), np.float64), data(1, np.float64), TopK(3)),
            *(Settings(prefixes=(3, 3, H)), 1e-3),
        )


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    k=st.integers(1, 12),
    few=st.booleans(),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_of_equal_ones_at_the_edge_all_stay_and_never_one_that_is_not_positive(seed, k, few, dtype):
    """With whole numbers and each unit seeing one feature, nothing is rounded: ties are ties."""
    n = h = 12
    rng = np.random.default_rng(seed)
    X = rng.integers(-3, 3, size=(40, n)).astype(dtype)
    X[::5] = -abs(X[::5])
    start = Parameters(np.eye(n), np.eye(n) * rng.choice([1, 2, 4], n), np.zeros(h), np.zeros(n))
    theta = start.ravel().astype(dtype)
    now = Moment(theta, Adam(np.zeros_like(theta), np.zeros_like(theta)), np.zeros(h, int))
    for rule in (TopK(k), BatchTopK(k)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(passes, "_SPARSE_FROM", 1 if few else 1000)
            if not can_be_tiled(rule, h):
                continue
            # The first step of Adam is as long for the smallest gradient as for the largest.
            _, blocked = BlockedStep(40, n, h, dtype)(now, X, rule, Settings(fix_norms=False), 1)
        _, plain = plain_step(now, X, rule, Settings(fix_norms=False), 1)
        np.testing.assert_allclose(blocked.adam.mean, plain.adam.mean, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("lure", [-9.0, 9.0])
def test_a_sample_that_misleads_about_the_largest_changes_nothing(lure, monkeypatch):
    monkeypatch.setattr(passes, "_SAMPLED", H)  # the first unit of every example is the sample
    X, now = data(3, np.float64), beginning(3, BatchTopK(2.0), np.float64)
    now.theta[2 * N * H] = lure
    plain, blocked = (
        step(now, X, BatchTopK(2.0), Settings(), 1e-3) for step in (plain_step, a_step())
    )
    assert blocked[0] == pytest.approx(plain[0], rel=1e-13)
    assert relative_error(blocked[1].adam.mean, plain[1].adam.mean) < 1e-13


def test_a_sample_that_finds_one_too_few_changes_nothing(monkeypatch):
    """All but one of those that stay are above the guess, which only a second look can tell."""
    monkeypatch.setattr(passes, "_SAMPLED", 1)
    now, X = beginning(4, BatchTopK(2.0), np.float64), data(4, np.float64)
    n_kept, partition = 2 * M, np.partition
    ranks = []

    def shifted(array, rank, *arguments, **more):
        ranks.append(rank)
        # The first call is that for the guess: it becomes the value next above the edge.
        return partition(array, -(n_kept - 1) if len(ranks) == 1 else rank, *arguments, **more)

    plain = plain_step(now, X, BatchTopK(2.0), Settings(), 1e-3)
    monkeypatch.setattr(passes, "_SLACK", (n_kept - 1 - 10) / n_kept)
    monkeypatch.setattr(passes.np, "partition", shifted)
    blocked = a_step()(now, X, BatchTopK(2.0), Settings(), 1e-3)
    assert len(ranks) == 2
    assert blocked[0] == pytest.approx(plain[0], rel=1e-13)
    assert relative_error(blocked[1].adam.mean, plain[1].adam.mean) < 1e-13


def test_the_memory_of_the_moment_before_the_last_is_used_again():
    X, now, step = data(5, np.float64), beginning(5, TopK(3), np.float64), a_step()
    moments = [now]
    for _ in range(3):
        moments.append(step(moments[-1], X, TopK(3), Settings(), 1e-3)[1])
    assert moments[2].theta is moments[0].theta
    assert moments[3].adam.mean is moments[1].adam.mean
    assert moments[3].theta is not moments[2].theta


def a_step(dtype=np.float64):
    return BlockedStep(M, N, H, dtype)


@in_every_rule
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_thread_and_two_give_the_same_bits(rule, dtype, monkeypatch):
    monkeypatch.setattr(dictionary_training, "WORTH_MORE_THREADS", 1)
    X, states = data(5, dtype, m=400), []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads, user_api="blas"):
            learned = train_dictionary(
                X, H, rule, n_steps=5, batch_size=M, dtype=dtype, revive_after=1
            )
        states.append(learned.state)
    for one, two in zip(*states, strict=True):
        assert np.array_equal(one, two)


def test_large_batches_are_stepped_in_blocks_and_what_is_not_in_rows_is_not(monkeypatch):
    made = []

    class Watched(BlockedStep):
        def __init__(self, *shape):
            made.append(shape)
            super().__init__(*shape)

    monkeypatch.setattr(dictionary_training, "BlockedStep", Watched)
    X, chosen = data(6, np.float32, m=400), {"n_steps": 2, "batch_size": M}
    train_dictionary(X, H, TopK(3), **chosen)
    assert made == []  # too small to be worth it
    monkeypatch.setattr(dictionary_training, "WORTH_MORE_THREADS", 1)
    train_dictionary(X, H, TopK(3), **chosen)
    assert made == [(M, N, H, np.float32)]

    class Mine(TopK):
        """May do anything."""

    for rule, more in (
        (KLSigmoid(0.1, 1.0), {}),
        (Mine(3), {}),
        (BatchTopK(30.0), {}),
        (L1ReLU(0.1).__call__, {}),
        (BatchTopK(2.5), {"prefixes": (10, H)}),
    ):
        train_dictionary(X, H, rule, **chosen, **more)
    assert len(made) == 1


@pytest.mark.parametrize("rule", [TopK(3), JumpReLU(0.05)], ids=["TopK", "JumpReLU"])
def test_a_resumed_training_in_blocks_is_the_uninterrupted_one(rule, monkeypatch):
    monkeypatch.setattr(dictionary_training, "WORTH_MORE_THREADS", 1)
    X, kept = data(7, np.float32, m=400), []
    chosen = {"n_steps": 9, "batch_size": M, "revive_after": 1}
    whole = train_dictionary(X, H, rule, checkpoint=kept.append, checkpoint_every=4, **chosen)
    assert [len(state.costs) for state in kept] == [4, 8]
    for state in kept:
        again = train_dictionary(X, H, rule, resume=state, **chosen)
        for one, two in zip(again.state, whole.state, strict=True):
            assert np.array_equal(one, two)


@pytest.mark.parametrize("call", range(8, 14))
def test_an_interrupt_in_the_middle_of_a_step_leaves_the_step_before(call, monkeypatch):
    monkeypatch.setattr(dictionary_training, "WORTH_MORE_THREADS", 1)
    X, kept = data(8, np.float32, m=400), []
    chosen = {"n_steps": 5, "batch_size": M}
    train_dictionary(X, H, TopK(3), checkpoint=kept.append, checkpoint_every=1, **chosen)
    calls = iter(range(1000))

    def interrupted(*arguments):
        if next(calls) == call:
            raise KeyboardInterrupt
        adam_step_into(*arguments)

    monkeypatch.setattr(steps, "adam_step_into", interrupted)
    with threadpool_limits(1, user_api="blas"):
        stopped = train_dictionary(X, H, TopK(3), **chosen)
    # A step is one call for the biases, and two for each of the four blocks.
    for one, two in zip(stopped.state, kept[call // 9 - 1], strict=True) if call >= 9 else ():
        assert np.array_equal(one, two)
    assert len(stopped.costs) == call // 9


def test_the_moment_that_is_given_stays_as_it_is():
    X, now = data(9, np.float64), beginning(9, TopK(3), np.float64)
    before, step = [array.copy() for array in (now.theta, *now.adam[:2])], a_step()
    first = step(now, X, TopK(3), Settings(), 1e-3)[1].theta.copy()
    assert np.array_equal(step(now, X, TopK(3), Settings(), 1e-3)[1].theta, first)
    for one, two in zip(before, (now.theta, *now.adam[:2]), strict=True):
        assert np.array_equal(one, two)


def test_a_column_without_a_direction_is_named():
    now = beginning(10, L1ReLU(0.1), np.float64)
    p, X = Parameters.unravel(now.theta, N, H), np.zeros((M, N))
    p.b1[37] = -1  # never active, so no step gives it a direction
    p.W2[:, 37] = 0
    for step in (plain_step, a_step()):
        with pytest.raises(ValueError, match="column 37 of W2 has the norm 0"):
            step(now, X, L1ReLU(0.0), Settings(), 1e-3)


def test_what_a_rule_refuses_is_refused_in_blocks_too():
    X = data(11, np.float64)
    for rule, words in ((TopK(51), "k is 51"), (BatchTopK(0.001), "keeps 0 of the 4150")):
        with pytest.raises(ValueError, match=words):
            a_step()(beginning(11, rule, np.float64), X, rule, Settings(), 1e-3)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n_done=st.integers(0, 50),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_a_part_of_a_step_of_adam_is_the_step_to_the_last_bit(seed, n_done, dtype):
    rng = np.random.default_rng(seed)
    theta, mean, slopes = rng.normal(size=(3, 6, 5)).astype(dtype)
    square = rng.uniform(size=(6, 5)).astype(dtype)
    adam, wanted = Adam(mean, square, n_done).step(theta, slopes, 3e-3)
    new = np.full((3, 6, 9), np.nan, dtype)[:, :, 2:7]  # not one after the other in memory
    adam_step_into((theta, mean, square), new, slopes, 3e-3, n_done + 1)
    for one, two in zip(new, (wanted, adam.mean, adam.mean_square), strict=True):
        assert np.array_equal(one, two)


@in_every_rule
def test_a_step_takes_no_more_memory_than_a_few_batches_of_codes(rule, monkeypatch):
    monkeypatch.undo()
    m, n, h = 2000, 20, 400
    X, now = data(12, np.float32, m, n), beginning(12, rule, np.float32, n, h)
    step = BlockedStep(m, n, h, np.float32)
    tracemalloc.start()
    try:
        with threadpool_limits(1, user_api="blas"):
            step(now, X, rule, Settings(), 1e-3)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * 4 * m * h
