"""Train the transformer of chapter 16 on games of tic-tac-toe and store its weights.

    python tools/train_tictactoe.py [SEED [FILE]]     a minute or two on one core

SEED is that of the starting weights and of the order of the games, 0 by default; FILE is by default
where `saelib.transformer.read_transformer` looks. Derivatives are taken by JAX, which comes with
the packages for the tests. The description in the file tells how it was made.
"""

from __future__ import annotations

import os
import sys
from typing import Any

os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
)
import jax
import jax.numpy as jnp
import numpy as np

from saelib.storage import write_arrays
from saelib.tictactoe import END, LENGTH, play_games
from saelib.transformer import KIND, N_HEADS, TICTACTOE, Transformer

N_GAMES, N_STEPS, BATCH, RATE = 60_000, 3000, 256, 3e-3


def scores(p: Transformer, tokens: Any) -> Any:
    """Return what `saelib.transformer.run_transformer` does, as scores, in JAX."""
    m, length = tokens.shape
    width = p.embedding.shape[1]

    def norm(R: Any) -> Any:
        return R * jax.lax.rsqrt(jnp.mean(R**2, axis=-1, keepdims=True) + 1e-6)

    R = p.embedding[tokens] + p.place[:length]
    rows = norm(R)
    q, k, v = (
        (rows @ W.T).reshape(m, length, N_HEADS, width // N_HEADS)
        for W in (p.query, p.key, p.value)
    )
    weights = jnp.einsum("bthd,bshd->bhts", q, k) / np.sqrt(width // N_HEADS)
    weights = jax.nn.softmax(jnp.where(np.tril(np.ones((length, length))) > 0, weights, -1e9))
    R = R + jnp.einsum("bhts,bshd->bthd", weights, v).reshape(m, length, width) @ p.output.T
    R = R + jax.nn.relu(norm(R) @ p.W1.T + p.b1) @ p.W2.T + p.b2
    return norm(R) @ p.reading.T


def loss(p: Transformer, games: Any) -> Any:
    """Return the mean surprise at the next token, up to the first END of each game."""
    tokens, following = games[:, :LENGTH], games[:, 1:]
    surprise = -jnp.take_along_axis(
        jax.nn.log_softmax(scores(p, tokens)), following[..., None], axis=-1
    )[..., 0]
    counts = tokens != END
    return jnp.sum(surprise * counts) / jnp.sum(counts)


@jax.jit
def step(p: Any, mean: Any, square: Any, t: Any, games: Any) -> Any:
    """Return weights and running means after a step of Adam, and the loss before it."""
    value, gradient = jax.value_and_grad(loss)(p, games)
    mean = jax.tree.map(lambda a, g: 0.9 * a + 0.1 * g, mean, gradient)
    square = jax.tree.map(lambda a, g: 0.999 * a + 0.001 * g**2, square, gradient)
    rate = RATE * jnp.minimum(t / 100, 0.5 * (1 + jnp.cos(np.pi * t / N_STEPS)))

    def move(w: Any, a: Any, b: Any) -> Any:
        change = a / (1 - 0.9**t) / (jnp.sqrt(b / (1 - 0.999**t)) + 1e-8)
        return w - rate * (change + 0.01 * w)

    return jax.tree.map(move, p, mean, square), mean, square, value


def main(seed: int, path: str) -> None:
    """Train from the random weights of a seed, say how it goes, and write the weights."""
    p: Any = Transformer.random(seed)
    games, held_out = play_games(N_GAMES, seed=1), play_games(5000, seed=2)
    rng = np.random.default_rng([seed, 3])
    mean = square = jax.tree.map(jnp.zeros_like, p)
    for t in range(1, N_STEPS + 1):
        batch = games[rng.integers(0, N_GAMES, size=BATCH)]
        p, mean, square, value = step(p, mean, square, float(t), batch)
        if t % 500 == 0:
            print(f"step {t}: loss {float(value):.3f}", flush=True)
    final = float(loss(p, held_out))
    print(f"loss on games not seen: {final:.4f}")
    description = {
        "made_by": "tools/train_tictactoe.py",
        "seed": seed,
        "games": N_GAMES,
        "steps": N_STEPS,
        "games_per_step": BATCH,
        "jax": jax.__version__,
        "loss_on_other_games": round(final, 4),
    }
    arrays = {name: np.asarray(block, np.float32) for name, block in p._asdict().items()}
    write_arrays(path, arrays, description, kind=KIND)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(int(arguments[0]) if arguments else 0, arguments[1] if arguments[1:] else str(TICTACTOE))
