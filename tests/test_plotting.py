import io
import subprocess
import sys
from itertools import pairwise

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.text import Text

from saelib import plotting
from saelib.plotting import (
    COLOURS,
    INK,
    TEXT_COLOURS,
    new_axes,
    plot_activation_histogram,
    plot_filters,
    plot_history,
    plot_kl,
    plot_mean_activations,
    plot_network,
    plot_patches,
    style,
    use_style,
)
from saelib.sparsity import kl_divergence

RNG = np.random.default_rng(0)
FIGURES = {
    "filters": lambda ax, **k: plot_filters(RNG.normal(size=(200, 100)), ax=ax, **k),
    "patches": lambda ax, **k: plot_patches(RNG.random((100, 64)), ax=ax, **k),
    "history": lambda ax, **k: plot_history(
        {
            "total": 1 / np.arange(1.0, 401),
            "reconstruction": 0.8 / np.arange(1.0, 401),
            "weight_decay": np.full(401, 0.01),
            "sparsity": 0.1 / np.arange(1.0, 401),
        },
        ax=ax,
        **k,
    ),
    "network": lambda ax, **k: plot_network(ax=ax, **k),
    "kl": lambda ax, **k: plot_kl(0.2, ax=ax, **k),
    "activations": lambda ax, **k: plot_activation_histogram(RNG.random((50, 8)) ** 6, ax=ax, **k),
    "means": lambda ax, **k: plot_mean_activations(RNG.random(25) / 50, 0.01, ax=ax, **k),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_on_the_axes_given_and_on_new_ones(name):
    figure, ax = plt.subplots()
    assert FIGURES[name](ax) is ax
    assert len(figure.axes) == 1
    own = FIGURES[name](None, title="What it says")
    assert isinstance(own, Axes)
    assert own.figure is not figure
    assert own.get_title(loc="left") == "What it says"
    assert not ax.get_title(loc="left")


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_light_enough_for_the_page_and_its_letters_large_enough(name):
    ax = FIGURES[name](None)
    file = io.BytesIO()
    ax.figure.savefig(file, format="png", bbox_inches="tight")
    assert file.tell() < 60_000
    texts = [*ax.texts, ax.title]
    if ax.axison:
        texts += [ax.xaxis.label, ax.yaxis.label, *ax.get_xticklabels(), *ax.get_yticklabels()]
    width_on_a_phone = 343 / ax.figure.get_size_inches()[0]
    for text in texts:
        assert text.get_fontsize() / 72 * width_on_a_phone >= 9, text


def _luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("colour", [INK, *TEXT_COLOURS.values()])
def test_letters_can_be_read_on_white(colour):
    # WCAG 2.2, success criterion 1.4.3.
    assert 1.05 / (_luminance(mpl.colors.to_rgb(colour)) + 0.05) >= 4.5


@pytest.mark.parametrize("name", COLOURS)
def test_lines_stand_out_from_white(name):
    # WCAG 2.2, success criterion 1.4.11.
    assert 1.05 / (_luminance(mpl.colors.to_rgb(COLOURS[name])) + 0.05) >= 3


def test_the_style_is_left_behind_only_when_asked_for():
    before = mpl.rcParams["font.size"]
    for draw in FIGURES.values():
        draw(None)
    assert mpl.rcParams["font.size"] == before
    with style():
        assert mpl.rcParams["axes.spines.top"] is False
    assert mpl.rcParams["axes.spines.top"] is True
    with mpl.rc_context():
        use_style()
        assert mpl.rcParams["axes.spines.top"] is False


def test_new_axes_have_the_size_asked_for():
    assert new_axes(width=3, height=2).figure.get_size_inches().tolist() == [3, 2]


def test_the_library_is_imported_without_matplotlib():
    code = "import sys, saelib, saelib.features, saelib.images; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_every_public_name_exists():
    for name in plotting.__all__:
        assert hasattr(plotting, name)


# Tiles


def test_tiles_stand_in_reading_order_with_gaps_between():
    W = np.array([[1.0, 2, 3, 4], [-4, 3, 2, 1], [0, 0, 0, 0]])
    picture = plot_filters(W, ncols=2).images[0].get_array().filled(np.nan)
    nan = np.nan
    expected = [
        [0.25, 0.5, nan, -1, 0.75],
        [0.75, 1, nan, 0.5, 0.25],
        [nan, nan, nan, nan, nan],
        [0, 0, nan, nan, nan],
        [0, 0, nan, nan, nan],
    ]
    np.testing.assert_allclose(picture, expected)


def test_grey_is_zero_for_every_unit():
    image = plot_filters(RNG.normal(size=(4, 9))).images[0]
    assert image.norm.vmin == -image.norm.vmax


def test_units_are_shown_in_the_order_asked_for():
    W = RNG.normal(size=(5, 4))
    picture = plot_filters(W, order=[3, 1], ncols=2).images[0].get_array()
    np.testing.assert_allclose(picture[:, :2].ravel(), W[3] / np.abs(W[3]).max())
    np.testing.assert_allclose(picture[:, 3:].ravel(), W[1] / np.abs(W[1]).max())


def test_highlighted_units_are_framed_where_they_stand():
    W = RNG.normal(size=(6, 9))
    mask = np.array([False, False, True, False, True, False])
    for highlight in (mask, [2, 4]):
        ax = plot_filters(W, ncols=3, order=[0, 4, 1, 2, 3], highlight=highlight)
        corners = [(frame.get_x(), frame.get_y()) for frame in ax.patches]
        # Unit 4 stands second in the first row, unit 2 first in the second.
        assert corners == [(3.25, -0.75), (-0.75, 3.25)]
    assert not plot_filters(W, highlight=[]).patches


def test_tiles_may_be_oblong():
    assert plot_filters(np.ones((1, 6)), patch_shape=(2, 3)).images[0].get_array().shape == (2, 3)


def test_patches_keep_their_contrasts():
    patches = np.array([[0.5, 0.5, 0.5, 0.5], [0.1, 0.9, 0.1, 0.9], [0.4, 0.6, 0.4, 0.6]])
    picture = plot_patches(patches, ncols=3).images[0].get_array().filled(0)
    assert picture[0, 4] == pytest.approx(4 * picture[0, 7])
    assert plot_patches(np.zeros((2, 4))).images[0].norm.vmax == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"W": np.zeros(4)}, "W has shape (4,)"),
        ({"W": np.full((1, 4), np.nan)}, "W holds NaN"),
        ({"W": np.zeros((2, 6))}, "do not fill a square"),
        ({"W": np.zeros((2, 6)), "patch_shape": (2, 2)}, "patch_shape is (2, 2)"),
        ({"W": np.zeros((2, 4)), "ncols": 0}, "ncols is 0"),
        ({"W": np.zeros((2, 4)), "order": [2]}, "order names units from 2 to 2"),
        ({"W": np.zeros((2, 4)), "order": []}, "order is empty"),
        ({"W": np.zeros((2, 4)), "highlight": [0.5]}, "highlight is an array of float64"),
        ({"W": np.zeros((2, 4)), "highlight": [True]}, "highlight is an array of bool"),
    ],
)
def test_tiles_that_cannot_be_drawn_are_named(arguments, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are checked below
        plot_filters(**arguments)
    assert words in str(caught.value)


# Curves


def test_the_terms_of_the_cost_are_named_with_their_last_values():
    history = {
        "total": [5.0, 1.0],
        "reconstruction": [4.0, 0.9],
        "sparsity": [1.0, 0.1],
        "weight_decay": [0.0, 0.0],
        "gradient_norm": [1.0, 0.5],
    }
    ax = plot_history(history)
    labels = {text.get_text() for text in ax.texts}
    assert labels == {"total\n1.00", "reconstruction\n0.900", "sparsity\n0.100"}


def test_names_of_close_curves_do_not_overlap():
    ax = plot_history({name: [9.0, 1.0] for name in ("total", "reconstruction", "sparsity")})
    ax.figure.canvas.draw()
    # The words alone: the extent of an annotation holds its line, too.
    boxes = sorted((Text.get_window_extent(text) for text in ax.texts), key=lambda box: box.y0)
    assert all(low.y1 <= high.y0 for low, high in pairwise(boxes))


def test_values_of_any_size_are_written_short():
    ax = plot_history({"total": [1e6, 12345.0], "sparsity": [1e-3, 1e-7]})
    assert {text.get_text() for text in ax.texts} == {"total\n1.2e+04", "sparsity\n1.0e-07"}


def test_a_history_without_a_cost_is_named():
    with pytest.raises(ValueError, match="history has the entries"):
        plot_history({"loss": [1.0]})


@pytest.mark.equation("kl-bernoulli")
@pytest.mark.parametrize("rho", [0.01, 0.2, 0.5, 0.8])
def test_the_kl_curve_is_the_divergence_and_leaves_the_picture_at_the_top(rho):
    ax = plot_kl(rho)
    rho_hat, height = ax.lines[0].get_data()
    np.testing.assert_allclose(height, kl_divergence(rho, rho_hat))
    assert height.max() > ax.get_ylim()[1]
    assert ax.lines[1].get_xdata()[0] == rho


def test_a_target_outside_zero_to_one_is_named():
    with pytest.raises(ValueError, match="rho is 1"):
        plot_kl(1.0)


def test_the_histogram_shows_shares_of_all_activations():
    A = RNG.random((40, 5)) ** 4
    ax = plot_activation_histogram(A)
    assert sum(bar.get_height() for bar in ax.patches) == pytest.approx(1)
    tanh = plot_activation_histogram(2 * A - 1, activation="tanh")
    assert tanh.texts[0].get_text() == ax.texts[0].get_text()
    assert tanh.get_xlim() == (-1, 1)


@pytest.mark.parametrize("A", [[[1.5]], [[np.nan]], [[]]])
def test_what_is_no_activation_is_named(A):
    with pytest.raises(ValueError, match="A has"):
        plot_activation_histogram(A)


def test_mean_activations_are_sorted_and_the_target_is_optional():
    ax = plot_mean_activations([0.3, 0.1, 0.2])
    assert ax.lines[0].get_ydata().tolist() == [0.1, 0.2, 0.3]
    assert len(ax.lines) == 1
    assert len(plot_mean_activations([0.0], target=0.1).lines) == 2
    with pytest.raises(ValueError, match="rho_hat has shape"):
        plot_mean_activations([0.5, 1.5])


# The diagram


def test_the_diagram_names_first_and_last_units_and_all_sizes():
    labels = [text.get_text() for text in plot_network((100, 50, 100)).texts]
    for expected in ("$x_{1}$", "$x_{100}$", "$a_{50}$", r"$\hat x_{100}$", "hidden\n50 units"):
        assert expected in labels
    assert labels.count("$+1$") == 2


def test_small_networks_are_drawn_whole():
    labels = [text.get_text() for text in plot_network((3, 1, 3)).texts]
    assert sum(label.startswith("$x_") for label in labels) == 3
    assert "hidden\n1 unit" in labels


def test_a_network_without_three_layers_is_named():
    with pytest.raises(ValueError, match=r"sizes is \(2, 2\)"):
        plot_network((2, 2))
    with pytest.raises(ValueError, match="sizes is 0"):
        plot_network((2, 0, 2))


def noise(*shape):
    return np.random.default_rng(0).normal(size=shape)


@pytest.mark.parametrize(
    "draw",
    [
        lambda title: plotting.plot_snapshots({0: noise(9, 16), 10: noise(9, 16)}, title),
        lambda title: plotting.plot_tile_panels(dict.fromkeys("abc", noise(25, 16)), title=title),
        lambda title: plotting.plot_boards(noise(3, 9), list("abc"), title=title),
        lambda title: plotting.plot_top_patches(noise(3, 36), noise(50, 36), [0, 2], title=title),
        lambda title: plotting.plot_scales(noise(20, 36), title=title),
        lambda title: plotting.plot_gains(
            [20, 50], dict.fromkeys(["a", "b", "c", "pixels"], noise(2, 3) / 9), title=title
        ),
    ],
)
@pytest.mark.parametrize("width", [5.0, 4.2])
def test_the_title_of_a_figure_stands_above_the_left_end_of_its_first_panel(draw, width):
    figure = draw("A title")
    figure.set_figwidth(width)
    figure.canvas.draw()
    (title,) = [text for text in figure.texts if text.get_text() == "A title"]
    left = figure.axes[0].get_window_extent().x0
    # Letters begin up to two points to the right of where they are put.
    assert title.get_window_extent().x0 == pytest.approx(left, abs=2 * figure.dpi / 72)


def test_an_axis_that_ends_a_hair_beside_a_tick_has_that_tick():
    x = np.linspace(1e-6, 1 - 1e-6, 11)
    ax = plotting.plot_curves(x, {"up": x})
    assert ax.get_xlim() == (0, 1)
    assert plotting.plot_curves(x / 3, {"up": x}).get_xlim()[1] == pytest.approx(1 / 3, abs=1e-4)


def test_the_panels_of_units_and_their_patches_are_equally_high():
    figure = plotting.plot_top_patches(noise(5, 100), noise(50, 100), [0, 2, 4])
    figure.canvas.draw()
    first, second = (ax.get_window_extent() for ax in figure.axes)
    assert first.height == pytest.approx(second.height, abs=0.5)
    assert first.y1 == pytest.approx(second.y1, abs=0.5)


def test_names_at_curves_of_compression_stand_at_their_own_line():
    sizes = [1, 10, 25, 50, 75, 100]
    left = {
        "noise": [0.99, 0.9, 0.75, 0.5, 0.25, 0],
        "whitened": [0.92, 0.58, 0.26, 0.045, 0.004, 0],
        "photographs": [0.14, 0.043, 0.022, 0.0092, 0.0034, 0],
    }
    ax = plotting.plot_compression(sizes, left, left)
    ax.figure.canvas.draw()
    lines = dict(zip(left, ax.lines[::2], strict=True))
    for text in ax.texts[:3]:
        box = text.get_window_extent()
        far = {}
        for name, line in lines.items():
            points = ax.transData.transform(line.get_xydata()[:-1])
            t = np.linspace(0, 1, 200)[:, None]
            way = np.vstack([a + t * (b - a) for a, b in pairwise(points)])
            beyond = np.maximum(0, np.maximum(way - box.max, box.min - way))
            far[name] = np.hypot(*beyond.T).min()
        assert min(far, key=far.get) == text.get_text()


def test_names_of_paths_stay_within_the_axes():
    grid = np.linspace(-1, 1, 21)
    paths = {"right": [[-0.9, 0], [0.8, 0.4]], "left": [[0.9, 0], [-0.8, -0.4]]}
    ax = plotting.plot_cost_slice(grid, grid, grid**2 + grid[:, None] ** 2, paths)
    ax.figure.canvas.draw()
    frame = ax.get_window_extent()
    assert all(frame.x0 <= t.get_window_extent().x0 for t in ax.texts)
    assert all(t.get_window_extent().x1 <= frame.x1 for t in ax.texts)


def test_contours_of_a_ravine_are_smooth():
    (ax,) = plotting.plot_ravine({"way": [[9, 1], [0, 0]]}, slopes=(1, 50)).axes
    for path in ax.collections[0].get_paths():
        x, y = path.vertices.T
        assert np.ptp(x**2 + 50 * y**2) < 1e-9 * np.max(x**2)
