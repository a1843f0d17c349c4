"""Experiments of chapter 16: what directions inside a small transformer say, and what they do.

The seed is that of the network, which comes trained for the seeds 0, 1 and 2, of the games, and of
the dictionaries.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import FastICA
from sklearn.exceptions import ConvergenceWarning

from saelib.codes import BatchTopK
from saelib.dictionary import reconstruct
from saelib.dictionary_training import LearnedDictionary, train_dictionary
from saelib.features import unexplained_variance
from saelib.inside import choose_readers, f1_of_readers, linear_probe, without_unit
from saelib.recovery import shared_units
from saelib.tictactoe import Positions, play_games, positions
from saelib.transformer import (
    Streams,
    Transformer,
    expectations,
    read_transformer,
    run_transformer,
)

Array = NDArray[np.floating[Any]]
N_GAMES, N_HIDDEN, LENGTH_OF_ROWS = 9000, 192, 3.0
KINDS = ("mine", "theirs", "win at", "block at", "last move", "ply")
K = {"before": 10, "after": 6}


class Problem(NamedTuple):
    """Positions, and the rows that belong to the first half, the third and the last quarter."""

    positions: Positions
    train: NDArray[np.bool_]
    choose: NDArray[np.bool_]
    test: NDArray[np.bool_]
    tokens: NDArray[np.intp]


def _problem(seed: int) -> Problem:
    tokens = play_games(N_GAMES, seed=100 + seed)
    p = positions(tokens)
    half, quarter = N_GAMES // 2, N_GAMES // 4
    return Problem(
        p,
        p.game < half,
        (half <= p.game) & (p.game < half + quarter),
        half + quarter <= p.game,
        tokens,
    )


def _network(seed: int) -> Transformer:
    trained = Path(__file__).parent / "networks" / f"tictactoe-{seed}.safetensors"
    return read_transformer(None if seed == 0 else trained)


def _scaled(R: Array, rows: NDArray[np.bool_]) -> tuple[Array, float]:
    X = R - R[rows].mean(axis=0)
    scale = LENGTH_OF_ROWS / float(np.sqrt(np.mean(np.sum(X[rows] ** 2, axis=1))))
    return X * np.float32(scale), scale


def _learn(
    X: Array, k: float, seed: int, effort: int, n_hidden: int = N_HIDDEN
) -> LearnedDictionary:
    return train_dictionary(
        X, n_hidden, BatchTopK(k), seed=seed, n_steps=1500 * effort, batch_size=512
    )


def _scores(U: Array, problem: Problem, name: str) -> dict[str, float]:
    p, choose, test = problem.positions, problem.choose, problem.test
    readers = choose_readers(U[choose], p.truth[choose])
    f1 = f1_of_readers(U[test], p.truth[test], readers)
    return {f"{kind} | {name}": float(f1[p.group(kind)].mean()) for kind in KINDS}


def _both_ways(U: Array) -> Array:
    return np.hstack([U, -U])


def _pca(X: Array, problem: Problem) -> Array:
    return _both_ways(X @ np.linalg.svd(X[problem.train], full_matrices=False)[2].T)


def _ica(X: Array, problem: Problem, seed: int) -> Array:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        ica = FastICA(random_state=seed, max_iter=200, tol=1e-3).fit(X[problem.train][:8000])
    return _both_ways(ica.transform(X))


def _sites(inside: Streams, p: Positions) -> dict[str, Array]:
    at = (p.game, p.place)
    return {"before": inside.before_mlp[at], "after": inside.from_mlp[at]}


def concepts(*, seed: int, effort: int) -> dict[str, float]:
    """Compare what dictionaries, neurons, PCA, ICA and probes say, and those of random weights."""
    problem = _problem(seed)
    p = problem.positions
    values: dict[str, float] = {}
    for network_name, network in (
        ("trained", _network(seed)),
        ("random", Transformer.random(seed)),
    ):
        inside = run_transformer(network, problem.tokens)
        for site, R in _sites(inside, p).items():
            X, _ = _scaled(R, problem.train)
            where = f"{site} {network_name}"
            learned = _learn(X[problem.train], K[site], seed, effort)
            A, X_hat = reconstruct(X, learned.parameters, learned.rule)
            values |= _scores(A, problem, f"SAE {where}")
            values[f"l0 | {where}"] = float((A[problem.test] > 0).sum(axis=1).mean())
            values[f"dead | {where}"] = float(1 - (A > 0).any(axis=0).mean())
            values[f"fvu | {where}"] = unexplained_variance(X[problem.test], X_hat[problem.test])
            values |= _scores(_pca(X, problem), problem, f"PCA {where}")
            probe = linear_probe(X[problem.train], p.truth[problem.train])
            values |= _scores(X @ probe, problem, f"probe {where}")
            if network_name == "trained":
                values |= _scores(_ica(X, problem, seed), problem, f"ICA {where}")
        neurons = inside.neurons[p.game, p.place]
        values |= _scores(neurons, problem, f"neurons {network_name}")
    share = p.truth[problem.test].mean(axis=0)
    for kind in KINDS:
        values[f"{kind} | always yes"] = float(
            np.mean([2 * share[i] / (1 + share[i]) for i in p.group(kind)])
        )
    return values | _comparisons(values)


def _comparisons(f1: dict[str, float]) -> dict[str, float]:
    """Return what the chapter says of the table, each as one number."""

    def dictionary_over(kinds: tuple[str, ...], site: str, rivals: tuple[str, ...]) -> list[float]:
        return [
            f1[f"{kind} | SAE {site} trained"] - f1[f"{kind} | {rival}"]
            for kind in kinds
            for rival in rivals
        ]

    fetched, told = ("mine", "theirs"), ("last move", "ply")
    blind = {site: (f"PCA {site} trained", f"ICA {site} trained") for site in K}
    untrained = [f1[f"{kind} | SAE {site} random"] for kind in fetched for site in K]
    return {
        "lead_fetched": min(
            dictionary_over(fetched, "before", (*blind["before"], "neurons trained"))
        ),
        "lead_block": min(
            dictionary_over(("block at",), "after", (*blind["after"], "neurons trained"))
        ),
        "lead_fetched_after": max(dictionary_over(fetched, "after", ("neurons trained",))),
        "lead_of_probe": -max(
            max(dictionary_over((*KINDS,), site, (f"probe {site} trained",))) for site in K
        ),
        "block_before": max(
            f1[f"block at | {way} before trained"] for way in ("SAE", "PCA", "ICA")
        ),
        "win_found": max(f1[f"win at | SAE {site} trained"] for site in K),
        "fetched_found": min(f1[f"{kind} | SAE before trained"] for kind in fetched),
        "fetched_untrained": max(untrained),
        "fetched_untrained_over_yes": max(
            f1[f"{kind} | SAE {site} random"] - f1[f"{kind} | always yes"]
            for kind in fetched
            for site in K
        ),
        "block_untrained": max(f1[f"block at | SAE {site} random"] for site in K),
        "told_untrained": min(f1[f"{kind} | SAE before random"] for kind in told),
        "told_lost": min(
            f1[f"{kind} | SAE before random"] - f1[f"{kind} | SAE before trained"] for kind in told
        ),
        "probe_fetched_untrained": min(f1[f"{kind} | probe before random"] for kind in fetched),
    }


def as_few_units(*, seed: int, effort: int) -> dict[str, float]:
    """Give the dictionary no more units than PCA and ICA have directions, and chance six times.

    Random directions, each of them both ways, are as many as two dictionaries of the chapter.
    """
    problem, width = _problem(seed), 64
    p = problem.positions
    inside = run_transformer(_network(seed), problem.tokens)
    leads = {}
    for site, kinds in (("before", ("mine", "theirs")), ("after", ("block at",))):
        X, _ = _scaled(_sites(inside, p)[site], problem.train)
        learned = _learn(X[problem.train], K[site], seed, effort, width)
        f1 = _scores(reconstruct(X, learned.parameters, learned.rule)[0], problem, "SAE")
        f1 |= _scores(_pca(X, problem), problem, "PCA")
        f1 |= _scores(_ica(X, problem, seed), problem, "ICA")
        chance = np.random.default_rng(seed).normal(size=(X.shape[1], N_HIDDEN))
        f1 |= _scores(_both_ways(X @ chance.astype(X.dtype)), problem, "random")
        for rival in ("PCA", "ICA", "random"):
            leads[f"{rival} {site}"] = min(f1[f"{k} | SAE"] - f1[f"{k} | {rival}"] for k in kinds)
    return leads | {
        "lead_as_few": min(v for name, v in leads.items() if "random" not in name),
        "lead_over_chance": min(v for name, v in leads.items() if "random" in name),
    }


def play(*, seed: int, effort: int) -> dict[str, float]:
    """Ask how well the network plays: legal moves, blocks, and its surprise beside the best."""
    problem, network = _problem(seed), _network(seed)
    p = problem.positions
    inside = run_transformer(network, problem.tokens)
    rows = (inside.before_mlp + inside.from_mlp)[p.game, p.place]
    chances = expectations(network, rows).astype(np.float64)
    over = p.next_token == 10
    taken = np.where(p.board != 0, chances[:, :9], 0).sum(axis=1)
    win, block = p.truth[:, p.group("win at")], p.truth[:, p.group("block at")]
    urgent = np.where(win.any(axis=1, keepdims=True), win, block)
    forced = (urgent.sum(axis=1) == 1) & ~over
    move = chances[:, :9].argmax(axis=1)
    surprise = -np.log(chances[np.arange(len(chances)), p.next_token])
    free = np.where(urgent.any(axis=1, keepdims=True), urgent, p.board == 0)
    least = np.log(np.where(over, 1, free.sum(axis=1)))
    return {
        "legal": float(1 - taken[~over].mean()),
        "forced_found": float(urgent[forced, move[forced]].mean()),
        "surprise": float(surprise.mean()),
        "least_surprise": float(least.mean()),
        "surprise_over_least": float(surprise.mean() - least.mean()),
    }


def causes(*, seed: int, effort: int) -> dict[str, float]:
    """Take the latent "block at s" out of what the MLP adds, and look at the move s."""
    problem, network = _problem(seed), _network(seed)
    p = problem.positions
    inside = run_transformer(network, problem.tokens)
    R, before = (rows[p.game, p.place] for rows in (inside.from_mlp, inside.before_mlp))
    X, scale = _scaled(R, problem.train)
    learned = _learn(X[problem.train], K["after"], seed, effort)
    W2 = learned.parameters.W2
    A, X_hat = reconstruct(X, learned.parameters, learned.rule)
    blocks = p.truth[:, p.group("block at")]
    readers = choose_readers(A[problem.choose], blocks[problem.choose])
    f1 = f1_of_readers(A[problem.test], blocks[problem.test], readers)
    can_win = p.truth[:, p.group("win at")].any(axis=1)
    forced = problem.test & (blocks.sum(axis=1) == 1) & ~can_win & (p.next_token < 9)
    rows = []
    for square, unit in enumerate(readers.columns):
        must = forced & blocks[:, square]
        on = must & (A[:, unit] > 0)
        stream, others = (before + R)[on], A[on]
        strength = others[:, unit].copy()
        others[:, unit] = 0
        only = np.where(others == others.max(axis=1, keepdims=True), others, 0)
        streams = (
            stream,
            without_unit(stream, A[on], W2, unit, scale),
            stream - (only @ W2.T) / np.float32(scale),
        )
        chances = [expectations(network, rows_)[:, square].mean() for rows_ in streams]
        rows.append([*chances, on.sum() / must.sum(), strength.mean(), others.max(axis=1).mean()])
    whole, without, other, share_on, strength, strength_of_other = np.array(rows, float).T
    return {
        "whole": float(whole.mean()),
        "without": float(without.mean()),
        "without_other": float(other.mean()),
        "least_difference": float((other - without).min()),
        "squares_halved": float(np.sum(without < whole / 2)),
        "f1_worst": float(f1.min()),
        "share_on_worst": float(share_on.min()),
        "share_on_mean": float(share_on.mean()),
        "other_over_unit": float(strength_of_other.mean() / strength.mean()),
        "loss_recovered": _loss_recovered(network, problem, before, R, X_hat / scale),
    }


def _loss_recovered(
    network: Transformer, problem: Problem, before: Array, R: Array, centred: Array
) -> float:
    """Return how much of what the MLP is worth its reconstruction is worth."""
    test, mean = problem.test, R[problem.train].mean(axis=0)
    following = problem.positions.next_token[test]

    def surprise(added: Array) -> float:
        chances = expectations(network, (before + added)[test].astype(np.float32))
        return float(-np.log(np.maximum(chances[np.arange(len(chances)), following], 1e-9)).mean())

    nothing = surprise(mean + 0 * R)
    return (nothing - surprise(mean + centred)) / (nothing - surprise(R))


def other_seeds(*, seed: int, effort: int) -> dict[str, float]:
    """Train three dictionaries on one network; count shared units, and compare F1."""
    problem, network = _problem(seed), _network(seed)
    p = problem.positions
    values: dict[str, float] = {}
    for site, R in _sites(run_transformer(network, problem.tokens), p).items():
        X, _ = _scaled(R, problem.train)
        runs = [_learn(X[problem.train], K[site], 10 * seed + start, effort) for start in range(3)]
        columns = [run.parameters.W2 for run in runs]
        pairs = [(0, 1), (0, 2), (1, 2)]
        values[f"shared_{site}"] = float(
            np.mean([shared_units(columns[i], columns[j]) for i, j in pairs])
        )
        scores = [
            _scores(reconstruct(X, run.parameters, run.rule)[0], problem, site) for run in runs
        ]
        for key in scores[0]:
            found = [score[key] for score in scores]
            values[f"spread of {key}"] = max(found) - min(found)
        values[f"largest_spread_{site}"] = max(values[f"spread of {key}"] for key in scores[0])
    return values
