"""Figures appear in a notebook, each below its own cell."""

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook


@pytest.mark.parametrize("style", ["use_style()", ""])
def test_every_figure_of_a_notebook_is_shown_not_only_the_first(style):
    cells = [f"from saelib.plotting import plot_kl, use_style\n{style}", "plot_kl();", "plot_kl();"]
    notebook = new_notebook(cells=[new_code_cell(source) for source in cells])
    NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
    nbformat.validate(notebook)
    shown = [["image/png" in output.get("data", {}) for output in cell.outputs]
             for cell in notebook.cells]  # fmt: skip
    assert shown == [[], [True], [True]]


def test_figures_are_shown_where_the_environment_asks_for_files_only(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    test_every_figure_of_a_notebook_is_shown_not_only_the_first("use_style()")
