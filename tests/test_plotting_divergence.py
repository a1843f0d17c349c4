import matplotlib.pyplot as plt
import numpy as np
import pytest

from saelib import kl_divergence
from saelib.plotting import plot_gaussian_divergence, plot_penalties


@pytest.mark.parametrize("draw", [plot_penalties, lambda **k: plot_gaussian_divergence(0.8, **k)])
def test_a_figure_is_drawn_on_the_axes_given_and_on_new_ones(draw):
    _, ax = plt.subplots()
    assert draw(ax=ax) is ax
    assert draw(title="What it says").get_title(loc="left") == "What it says"
    plt.close("all")


@pytest.mark.equation("kl-bernoulli")
def test_the_penalties_are_zero_at_the_target_and_one_at_a_half():
    lines = plot_penalties(0.2).lines[:3]
    for line in lines:
        x, y = line.get_data()
        assert y[x == 0.2] == pytest.approx(0, abs=1e-12)
        assert y[x == 0.5] == pytest.approx(1)
    x, y = lines[0].get_data()
    assert y[100] == pytest.approx(kl_divergence(0.2, x[100]) / kl_divergence(0.2, 0.5))
    plt.close("all")


@pytest.mark.parametrize(("mean", "sd"), [(0.8, 1.0), (0.0, 2.0), (1.0, 2.0)])
def test_the_area_drawn_is_the_divergence_in_closed_form(mean, sd):
    x, y = plot_gaussian_divergence(mean, sd).lines[1].get_data()
    closed = np.log(sd) + (1 + mean**2) / (2 * sd**2) - 0.5
    assert np.sum(y) * (x[1] - x[0]) == pytest.approx(closed, abs=2e-3)
    plt.close("all")


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match=r"rho is 0\.5"):
        plot_penalties(0.5)
    with pytest.raises(ValueError, match="sd_q is 0"):
        plot_gaussian_divergence(0.0, 0.0)
