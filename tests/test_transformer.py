"""Games of tic-tac-toe, and the transformer that continues them."""

from itertools import product

import numpy as np
import pytest

from saelib.storage import read_arrays, write_arrays
from saelib.tictactoe import END, LINES, START, boards, completes, play_games, positions
from saelib.transformer import (
    KIND,
    N_HEADS,
    TICTACTOE,
    Transformer,
    attention,
    expectations,
    read_transformer,
    rms_norm,
    run_transformer,
)

GAMES = play_games(400, seed=3)


def small(seed=0, width=8, n_neurons=12):
    """A network with biases that are not 0, in float64."""
    rng = np.random.default_rng(seed)
    network = Transformer.random(rng, width=width, n_neurons=n_neurons)
    return Transformer(*(w.astype(float) + 0.1 * rng.normal(size=w.shape) for w in network))


def won(board):
    return any(abs(sum(board[s] for s in line)) == 3 for line in LINES)


def test_games_are_legal_and_end_when_won_or_full():
    for tokens in GAMES:
        assert tokens[0] == START
        moves = [int(token) for token in tokens[1:] if token != END]
        assert list(tokens[1 : 1 + len(moves)]) == moves
        assert len(set(moves)) == len(moves)
        board = np.zeros(9, int)
        for ply, move in enumerate(moves):
            assert not won(board)
            board[move] = 1 - 2 * (ply % 2)
        assert won(board) or len(moves) == 9


def test_whoever_can_win_does_and_else_blocks():
    p = positions(GAMES)
    win, block = p.truth[:, p.group("win at")], p.truth[:, p.group("block at")]
    to_move = p.next_token < 9
    could_win, had_to_block = win.any(axis=1) & to_move, block.any(axis=1) & to_move
    rows = np.arange(len(win))
    move = np.minimum(p.next_token, 8)
    assert win[rows, move][could_win].all()
    assert block[rows, move][had_to_block & ~could_win].all()
    assert could_win.sum() > 100
    assert (had_to_block & ~could_win).sum() > 100


def test_other_moves_are_drawn_evenly():
    first = play_games(9000, seed=0)[:, 1]
    assert np.bincount(first, minlength=9) == pytest.approx(np.full(9, 1000), abs=120)


def test_boards_are_those_of_the_player_to_move():
    for tokens, seen in zip(GAMES[:50], boards(GAMES[:50]), strict=True):
        for place in range(10):
            mine = np.zeros(9, int)
            for ply, move in enumerate(tokens[1 : place + 1]):
                if move < 9:
                    mine[move] = 1 if (place - ply) % 2 == 0 else -1
            if place == 0 or tokens[place] < 9:
                assert np.array_equal(seen[place], mine)
    with pytest.raises(ValueError, match=r"tokens has shape \(3, 9\)"):
        boards(np.zeros((3, 9), int))


def test_squares_that_complete_a_line_are_found_on_every_board():
    all_boards = np.array(list(product((-1, 0, 1), repeat=9)))[::7]
    for who in (-1, 1):
        found = completes(all_boards, who)
        for board, squares in zip(all_boards, found, strict=True):
            wanted = set()
            for line in LINES:
                values = [board[s] for s in line]
                if values.count(who) == 2 and values.count(0) == 1:
                    wanted.add(int(line[values.index(0)]))
            assert set(np.flatnonzero(squares)) == wanted


def test_labels_say_what_their_names_say():
    p = positions(GAMES)
    assert len(p.names) == p.truth.shape[1] == 54
    for kind, wanted in (("mine", p.board == 1), ("theirs", p.board == -1)):
        np.testing.assert_array_equal(p.truth[:, p.group(kind)], wanted)
    last = GAMES[p.game, p.place]
    np.testing.assert_array_equal(p.truth[:, p.group("last move")].argmax(axis=1), last)
    np.testing.assert_array_equal(p.truth[:, p.group("ply")].argmax(axis=1) + 1, p.place)
    np.testing.assert_array_equal(p.next_token, GAMES[p.game, p.place + 1])
    assert [p.names[i] for i in p.group("win at")] == [f"win at {s}" for s in range(9)]


@pytest.mark.equation("attention")
def test_attention_is_a_weighted_mean_of_the_past_head_by_head():
    network, rng = small(), np.random.default_rng(1)
    R = rng.normal(size=(2, 5, 8))
    found, size = attention(network, R), 8 // N_HEADS
    for game, t in product(range(2), range(5)):
        fetched = np.zeros(8)
        for head in range(N_HEADS):
            own = slice(head * size, (head + 1) * size)
            q = network.query[own] @ R[game, t]
            scores = [q @ (network.key[own] @ R[game, s]) / np.sqrt(size) for s in range(t + 1)]
            weights = np.exp(scores) / np.sum(np.exp(scores))
            for s in range(t + 1):
                fetched[own] += weights[s] * (network.value[own] @ R[game, s])
        np.testing.assert_allclose(found[game, t], network.output @ fetched, rtol=1e-12)


@pytest.mark.equation("transformer")
def test_the_network_is_attention_then_an_mlp_each_added_to_the_stream():
    network = small()
    inside = run_transformer(network, GAMES[:6])
    R = network.embedding[GAMES[:6, :10]] + network.place
    np.testing.assert_allclose(inside.before_mlp, R + attention(network, rms_norm(R)))
    for game, t in product(range(6), range(10)):
        row = inside.before_mlp[game, t]
        row = row / np.sqrt(np.mean(row**2) + 1e-6)
        hidden = np.maximum(network.W1 @ row + network.b1, 0)
        np.testing.assert_allclose(inside.neurons[game, t], hidden, rtol=1e-9, atol=1e-12)
        added = network.W2 @ hidden + network.b2
        np.testing.assert_allclose(inside.from_mlp[game, t], added, rtol=1e-9, atol=1e-12)
        end = inside.before_mlp[game, t] + added
        scores = network.reading @ (end / np.sqrt(np.mean(end**2) + 1e-6))
        np.testing.assert_allclose(inside.scores[game, t], scores, rtol=1e-9, atol=1e-12)
        powers = np.exp(scores)
        np.testing.assert_allclose(expectations(network, end), powers / powers.sum(), rtol=1e-9)


def test_no_place_sees_what_comes_later():
    network, other = small(), GAMES[:20].copy()
    other[:, 5:] = GAMES[20:40, 5:]
    one, two = run_transformer(network, GAMES[:20]), run_transformer(network, other)
    np.testing.assert_array_equal(one.scores[:, :5], two.scores[:, :5])
    assert not np.allclose(one.scores[:, 5:], two.scores[:, 5:])


def test_tokens_and_widths_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="tokens holds 9 to 11; this network knows 0 to 10"):
        run_transformer(small(), [[9, 11]])
    with pytest.raises(ValueError, match="width is 6; 4 heads share it"):
        Transformer.random(0, width=6)


def test_the_network_of_the_library_plays_well_and_says_how_it_was_made():
    network = read_transformer()
    arrays, description = read_arrays(TICTACTOE, kind=KIND)
    assert description["made_by"] == "tools/train_tictactoe.py"
    assert description["seed"] == 0
    assert all(array.dtype == np.float32 for array in arrays.values())
    p = positions(GAMES)
    inside = run_transformer(network, GAMES)
    chances = expectations(network, (inside.before_mlp + inside.from_mlp)[p.game, p.place])
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-5)
    moves = p.next_token < 9
    assert np.where(p.board != 0, chances[:, :9], 0)[moves].sum(axis=1).mean() < 0.01
    block = p.truth[:, p.group("block at")] & ~p.truth[:, p.group("win at")].any(axis=1)[:, None]
    forced = moves & (block.sum(axis=1) == 1)
    best = chances[forced, :9].argmax(axis=1)
    assert block[forced, best].mean() > 0.98


def test_weights_go_through_a_file(tmp_path):
    network = Transformer.random(seed=5, width=8, n_neurons=12)
    write_arrays(tmp_path / "weights.safetensors", network._asdict(), {}, kind=KIND)
    for mine, other in zip(
        read_transformer(tmp_path / "weights.safetensors"), network, strict=True
    ):
        np.testing.assert_array_equal(mine, other)
