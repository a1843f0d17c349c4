"""A transformer of one layer in numpy: what it computes, from tokens to what it expects next.

Every position has a row of numbers, the residual stream. Attention adds to it what it fetches from
earlier rows, the MLP what it computes from the row alone; at the end a row is read as scores.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saelib._validation import whole_number
from saelib.storage import read_arrays
from saelib.tictactoe import LENGTH, N_TOKENS

__all__ = [
    "Streams",
    "Transformer",
    "attention",
    "expectations",
    "read_transformer",
    "rms_norm",
    "run_transformer",
]

Array = NDArray[np.floating[Any]]
N_HEADS = 4
KIND = "Transformer"
TICTACTOE = Path(__file__).with_name("tictactoe.safetensors")


class Transformer(NamedTuple):
    """The weights; a matrix has a row per output, as everywhere in this book.

    Attributes
    ----------
    embedding : ndarray of shape (n_tokens, width)
        A row for each token.
    place : ndarray of shape (length, width)
        A row for each place in the sequence.
    query, key, value, output : ndarray of shape (width, width)
        Attention.
    W1, b1 : ndarray of shape (n_neurons, width) and (n_neurons,)
        First layer of the MLP.
    W2, b2 : ndarray of shape (width, n_neurons) and (width,)
        Its second layer.
    reading : ndarray of shape (n_tokens, width)
        From the residual stream to a score for each token.
    """

    embedding: Array
    place: Array
    query: Array
    key: Array
    value: Array
    output: Array
    W1: Array
    b1: Array
    W2: Array
    b2: Array
    reading: Array

    @classmethod
    def random(cls, seed: int | np.random.Generator, width: int = 64, n_neurons: int = 256) -> Any:
        """Return random weights for games of tic-tac-toe, as before any training.

        Parameters
        ----------
        seed : int or numpy.random.Generator
            Where the random numbers come from.
        width, n_neurons : int, at least 1
            Numbers of a row of the residual stream, and neurons of the MLP. The four heads share
            the width, which must be a multiple of 4.

        Returns
        -------
        Transformer
            In float32.

        Examples
        --------
        >>> from saelib.transformer import Transformer
        >>> sum(block.size for block in Transformer.random(seed=0))
        51520
        """
        width = whole_number("width", width, low=1)
        n_neurons = whole_number("n_neurons", n_neurons, low=1)
        if width % N_HEADS:
            raise ValueError(f"width is {width}; {N_HEADS} heads share it, so give a multiple")
        rng = np.random.default_rng(seed)

        def normal(n_out: int, n_in: int, size: float) -> Array:
            return (size * rng.normal(size=(n_out, n_in))).astype(np.float32)

        wide, narrow = width**-0.5, 0.5 * n_neurons**-0.5
        return cls(
            embedding=normal(N_TOKENS, width, 0.3),
            place=normal(LENGTH, width, 0.3),
            query=normal(width, width, wide),
            key=normal(width, width, wide),
            value=normal(width, width, wide),
            output=normal(width, width, 0.5 * wide),
            W1=normal(n_neurons, width, wide),
            b1=np.zeros(n_neurons, np.float32),
            W2=normal(width, n_neurons, narrow),
            b2=np.zeros(width, np.float32),
            reading=normal(N_TOKENS, width, wide),
        )


class Streams(NamedTuple):
    """What is to be seen inside, for every game and every place.

    Attributes
    ----------
    before_mlp : ndarray of shape (n_games, length, width)
        The residual stream after attention.
    neurons : ndarray of shape (n_games, length, n_neurons)
        Activations of the MLP's hidden layer.
    from_mlp : ndarray of shape (n_games, length, width)
        What the MLP adds to the stream.
    scores : ndarray of shape (n_games, length, n_tokens)
        Score of each token to come next.
    """

    before_mlp: Array
    neurons: Array
    from_mlp: Array
    scores: Array


def rms_norm(R: Array) -> Array:
    """Return rows divided by the root of their mean square.

    Parameters
    ----------
    R : ndarray of shape (..., width)
        Rows.

    Returns
    -------
    ndarray of the same shape
        Rows of mean square 1.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.transformer import rms_norm
    >>> rms_norm(np.array([3.0, 4.0, 0.0, 0.0])).round(3)
    array([1.2, 1.6, 0. , 0. ])
    """
    return R / np.sqrt(np.mean(R**2, axis=-1, keepdims=True) + R.dtype.type(1e-6))


def softmax(scores: Array) -> Array:
    """Return probabilities, for each last axis by itself."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def attention(network: Transformer, R: Array) -> Array:
    """Return what attention adds to the residual stream, Eq. (16.1) ``attention``.

    Parameters
    ----------
    network : Transformer
        Weights.
    R : ndarray of shape (n_games, length, width)
        Normalized rows.

    Returns
    -------
    ndarray of the same shape
        What every place has fetched from itself and from those before.

    Examples
    --------
    With queries of 0 all earlier places count the same, and a mean is fetched:

    >>> import numpy as np
    >>> from saelib.transformer import Transformer, attention
    >>> one = np.eye(4)
    >>> network = Transformer.random(seed=0, width=4)
    >>> network = network._replace(query=0 * one, key=one, value=one, output=one)
    >>> attention(network, np.array([[[2.0, 0, 0, 0], [4.0, 0, 0, 0]]]))[0, :, 0]
    array([2., 3.])
    """
    m, length, width = R.shape
    q, k, v = (
        (R @ W.T).reshape(m, length, N_HEADS, width // N_HEADS).transpose(0, 2, 1, 3)
        for W in (network.query, network.key, network.value)
    )
    scores = q @ k.transpose(0, 1, 3, 2) / R.dtype.type(np.sqrt(width // N_HEADS))
    past = np.tril(np.ones((length, length), dtype=bool))
    weights = softmax(np.where(past, scores, R.dtype.type(-1e9)))
    return (weights @ v).transpose(0, 2, 1, 3).reshape(m, length, width) @ network.output.T


def run_transformer(network: Transformer, tokens: ArrayLike) -> Streams:
    """Return what is to be seen inside for some games, Eq. (16.2) ``transformer``.

    Parameters
    ----------
    network : Transformer
        Weights.
    tokens : array_like of int, shape (n_games, length)
        Games; of more tokens than the network has places for only the first ones are read.

    Returns
    -------
    Streams
        The residual stream, the neurons, what the MLP adds, and the scores.

    Raises
    ------
    ValueError
        If a token is none of the network's.

    Examples
    --------
    >>> from saelib.tictactoe import play_games
    >>> from saelib.transformer import read_transformer, run_transformer
    >>> inside = run_transformer(read_transformer(), play_games(100))
    >>> inside.before_mlp.shape, inside.neurons.shape
    ((100, 10, 64), (100, 10, 256))
    """
    tokens = np.asarray(tokens)[:, : len(network.place)]
    n_tokens = len(network.embedding)
    if tokens.size and not 0 <= tokens.min() <= tokens.max() < n_tokens:
        raise ValueError(
            f"tokens holds {tokens.min()} to {tokens.max()}; this network knows 0 to {n_tokens - 1}"
        )
    R = network.embedding[tokens] + network.place[: tokens.shape[1]]
    R = R + attention(network, rms_norm(R))
    neurons = np.maximum(rms_norm(R) @ network.W1.T + network.b1, 0)
    from_mlp = neurons @ network.W2.T + network.b2
    return Streams(R, neurons, from_mlp, rms_norm(R + from_mlp) @ network.reading.T)


def expectations(network: Transformer, stream: Array) -> Array:
    """Return the probabilities of the next token that the end of the residual stream stands for.

    Parameters
    ----------
    network : Transformer
        Weights.
    stream : ndarray of shape (..., width)
        The residual stream after the MLP, changed or not.

    Returns
    -------
    ndarray of shape (..., n_tokens)
        Probabilities.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.transformer import expectations, read_transformer, run_transformer
    >>> network = read_transformer()
    >>> inside = run_transformer(network, [[9, 4, 0, 1]])  # 4 and 1: the other must take 7
    >>> stream = (inside.before_mlp + inside.from_mlp)[0, -1]
    >>> bool(expectations(network, stream)[7] > 0.9)
    True
    """
    return softmax(rms_norm(stream) @ network.reading.T)


def read_transformer(path: str | os.PathLike[str] | None = None) -> Transformer:
    """Return trained weights; by default those of the network that comes with the library.

    It was trained on 60,000 games by ``tools/train_tictactoe.py`` of the repository.

    Parameters
    ----------
    path : str or path-like, optional
        A file that the tool has written.

    Returns
    -------
    Transformer
        In float32.

    Examples
    --------
    >>> from saelib.transformer import read_transformer
    >>> read_transformer().W1.shape
    (256, 64)
    """
    arrays, _ = read_arrays(TICTACTOE if path is None else path, kind=KIND)
    return Transformer(*(arrays[name] for name in Transformer._fields))
