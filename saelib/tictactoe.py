"""Games of tic-tac-toe as sequences of tokens, and all that is true of each position.

The squares are numbered from 0 to 8, row by row. A game is the token 9, which starts it, one token
per move, and then the token 10 up to the length of eleven.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saelib._validation import whole_number

__all__ = ["END", "LINES", "START", "Positions", "boards", "play_games", "positions"]

START, END = 9, 10
N_TOKENS, LENGTH = 11, 10
LINES = np.array(
    [[0, 1, 2], [3, 4, 5], [6, 7, 8], [0, 3, 6], [1, 4, 7], [2, 5, 8], [0, 4, 8], [2, 4, 6]]
)


def play_games(n_games: int, seed: int | np.random.Generator = 0) -> NDArray[np.intp]:
    """Return games between two players who see one move ahead.

    Whoever can win does, else whoever must block does, else the move is drawn from the empty
    squares; of several such squares one is drawn.

    Parameters
    ----------
    n_games : int, at least 1
        Number of games.
    seed : int or numpy.random.Generator
        Where the random numbers come from.

    Returns
    -------
    ndarray of int, shape (n_games, 11)
        Tokens.

    Examples
    --------
    >>> from saelib.tictactoe import play_games
    >>> play_games(2, seed=1)
    array([[ 9,  1,  5,  8,  4,  3,  0,  6,  7,  2, 10],
           [ 9,  4,  2,  8,  0,  1,  7,  5,  3,  6, 10]])
    """
    m = whole_number("n_games", n_games, low=1)
    rng = np.random.default_rng(seed)
    tokens = np.full((m, LENGTH + 1), END)
    tokens[:, 0] = START
    board, over = np.zeros((m, 9), dtype=int), np.zeros(m, dtype=bool)
    for ply in range(9):
        # Both players think alike: the one to move sees the board with his own marks as +1.
        urgency = np.where(board == 0, 0, -1)
        urgency[completes(board, -1)] = 1
        urgency[completes(board, 1)] = 2
        candidates = urgency == urgency.max(axis=1, keepdims=True)
        move = np.where(candidates, rng.random((m, 9)), -1.0).argmax(axis=1)
        tokens[~over, ply + 1] = move[~over]
        board[np.arange(m), move] = 1
        over |= (board[:, LINES].sum(axis=2) == 3).any(axis=1)
        board = -board
    return tokens


def completes(board: NDArray[np.integer[Any]], who: int) -> NDArray[np.bool_]:
    """Return which squares complete a line of `who` (+1 or -1), for boards of shape (..., 9)."""
    found = np.zeros(board.shape, dtype=bool)
    for line in LINES:
        two = (board[..., line] == who).sum(axis=-1) == 2
        for square in line:
            found[..., square] |= two & (board[..., square] == 0)
    return found


def boards(tokens: ArrayLike) -> NDArray[np.intp]:
    """Return the board after each of the first ten tokens, as the player to move sees it.

    Parameters
    ----------
    tokens : array_like of int, shape (n_games, 11)
        Games.

    Returns
    -------
    ndarray of int, shape (n_games, 10, 9)
        +1 on the squares of the player to move, -1 on those of the other, 0 on empty ones.

    Examples
    --------
    >>> from saelib.tictactoe import boards
    >>> after = boards([[9, 4, 0, 8, 10, 10, 10, 10, 10, 10, 10]])
    >>> after[0, 2].reshape(3, 3)  # after two moves the first player is to move again
    array([[-1,  0,  0],
           [ 0,  1,  0],
           [ 0,  0,  0]])
    """
    tokens = np.asarray(tokens)
    if tokens.ndim != 2 or tokens.shape[1] != LENGTH + 1:
        raise ValueError(
            f"tokens has shape {tokens.shape}; give (n_games, 11), as play_games returns them"
        )
    seen = np.zeros((len(tokens), LENGTH, 9), dtype=int)
    board = np.zeros((len(tokens), 9), dtype=int)
    for place in range(1, LENGTH):
        square = tokens[:, place]
        played = np.flatnonzero(square < 9)
        board[played, square[played]] = 1
        board = -board
        seen[:, place] = board
    return seen


class Positions(NamedTuple):
    """Positions out of many games, and what is true of each.

    Attributes
    ----------
    game, place : ndarray of int, shape (n_positions,)
        Row of the game, and how many moves have been made.
    board : ndarray of int, shape (n_positions, 9)
        As the player to move sees it: +1 mine, -1 theirs, 0 empty.
    next_token : ndarray of int, shape (n_positions,)
        What came next.
    names : list of str
        The labels: ``mine s``, ``theirs s``, ``win at s``, ``block at s`` and ``last move s`` for
        the nine squares, and ``ply p`` for one to nine moves.
    truth : ndarray of bool, shape (n_positions, n_labels)
        Whether a label is true of a position.
    """

    game: NDArray[np.intp]
    place: NDArray[np.intp]
    board: NDArray[np.intp]
    next_token: NDArray[np.intp]
    names: list[str]
    truth: NDArray[np.bool_]

    def group(self, kind: str) -> NDArray[np.intp]:
        """Return the columns of the labels of one kind, such as ``block at``."""
        return np.array([i for i, name in enumerate(self.names) if name.rpartition(" ")[0] == kind])


def positions(tokens: ArrayLike) -> Positions:
    """Return the positions after each move of some games, with labels.

    A label ``win at s`` means that the player to move would complete a line there, ``block at s``
    that the other one would. The last position of a game that was won is among them.

    Parameters
    ----------
    tokens : array_like of int, shape (n_games, 11)
        Games.

    Returns
    -------
    Positions
        In the order of the games.

    Examples
    --------
    >>> from saelib.tictactoe import play_games, positions
    >>> p = positions([[9, 4, 0, 1, 7, 6, 2, 5, 3, 8, 10]])
    >>> p.board[2]  # two of theirs in the middle column
    array([ 1, -1,  0,  0, -1,  0,  0,  0,  0])
    >>> [name for name, true in zip(p.names, p.truth[2]) if true]
    ['mine 0', 'theirs 1', 'theirs 4', 'block at 7', 'last move 1', 'ply 3']
    """
    tokens = np.asarray(tokens)
    seen = boards(tokens)
    live = tokens[:, :LENGTH] < 9
    game, place = np.nonzero(live)
    board, last = seen[live], tokens[:, :LENGTH][live]
    kinds = {
        "mine": board == 1,
        "theirs": board == -1,
        "win at": completes(board, 1),
        "block at": completes(board, -1),
        "last move": last[:, None] == np.arange(9),
    }
    names = [f"{kind} {square}" for kind in kinds for square in range(9)]
    names += [f"ply {ply}" for ply in range(1, 10)]
    truth = np.hstack([*kinds.values(), place[:, None] == np.arange(1, 10)])
    return Positions(game, place, board, tokens[:, 1:][live], names, truth)
