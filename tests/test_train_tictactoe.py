"""The script that trained the transformer computes what the library computes."""

import importlib.util
from pathlib import Path

import jax
import numpy as np
import pytest

from saelib import numerical_gradient, relative_error
from saelib.tictactoe import play_games
from saelib.transformer import Transformer, run_transformer

PATH = Path(__file__).resolve().parents[1] / "tools" / "train_tictactoe.py"


@pytest.fixture(scope="module")
def tool():
    specification = importlib.util.spec_from_file_location("train_tictactoe", PATH)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.equation("transformer")
def test_both_give_the_same_scores(tool):
    tokens = play_games(50, seed=7)
    network = Transformer.random(seed=1)
    found = np.asarray(tool.scores(network, tokens[:, :10]))
    np.testing.assert_allclose(found, run_transformer(network, tokens).scores, atol=2e-5)


def test_its_gradient_is_that_of_the_loss_by_central_differences(tool):
    tokens = play_games(20, seed=8)
    network = Transformer.random(seed=2, width=8, n_neurons=6)
    blocks = [np.asarray(block, np.float64) for block in network]
    sizes = np.cumsum([block.size for block in blocks])[:-1]

    def unravel(theta):
        parts = np.split(theta, sizes)
        return Transformer(*(p.reshape(b.shape) for p, b in zip(parts, blocks, strict=True)))

    def loss(theta):
        scores = run_transformer(unravel(theta), tokens).scores
        logs = scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))
        counted = tokens[:, :10] != 10
        game, place = np.nonzero(counted)
        return -logs[game, place, tokens[:, 1:][counted]].mean()

    theta = np.concatenate([block.ravel() for block in blocks])
    with jax.enable_x64(True):
        value, gradient = jax.value_and_grad(tool.loss)(unravel(theta), tokens)
        flat = np.concatenate([np.asarray(block).ravel() for block in gradient])
    assert float(value) == pytest.approx(loss(theta), rel=1e-9)
    # A wide step would cross kinks of the rectifier.
    assert relative_error(numerical_gradient(loss, theta, step=1e-6), flat) < 1e-8
