"""The committed notebooks are executed, described, in shape, and compared by nbval."""

import importlib.util
import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book" / "_ext"))
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))
HEADINGS = ["Goals", "What you need", "The idea in one figure"]
LAST_HEADINGS = ["What can go wrong", "Exercises", "What to remember", "Where next"]


def cells_of(path, kind):
    return [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == kind]


def draws(cell):
    return any("image/png" in output.get("data", {}) for output in cell.outputs)


def tabulates(cell):
    return any("<table" in output.get("data", {}).get("text/html", "") for output in cell.outputs)


def in_every_notebook(test):
    return pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)(test)


def test_all_chapters_are_there():
    assert len(NOTEBOOKS) == 16


@in_every_notebook
def test_it_was_executed_in_order_from_a_fresh_kernel(path):
    cells = cells_of(path, "code")
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))


@in_every_notebook
def test_what_prints_or_draws_has_stored_its_output(path):
    """nbval does not compare a cell whose stored outputs are missing."""
    for cell in cells_of(path, "code"):
        speaks = re.search(r"^(print|plot_|check_)|^\w+\.(show|imshow)\(", cell.source, re.M)
        assert cell.outputs or not speaks, cell.source
    assert any(draws(cell) for cell in cells_of(path, "code"))


@in_every_notebook
def test_no_stored_output_is_an_error_a_warning_or_the_text_of_a_figure(path):
    for cell in cells_of(path, "code"):
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.get("text")
            if output.output_type == "execute_result":
                assert "image/png" not in output.data
                assert "<Axes" not in output.data.get("text/plain", "")


@in_every_notebook
def test_every_picture_has_a_caption_a_name_and_words_for_who_cannot_see_it(path):
    for cell in filter(draws, cells_of(path, "code")):
        settings = cell.metadata.get("mystnb", {})
        assert len(settings.get("figure", {}).get("caption", "")) >= 30, cell.source
        assert settings["figure"].get("name", "").startswith("fig-"), cell.source
        assert len(settings.get("image", {}).get("alt", "")) >= 40, cell.source
        assert sum("image/png" in output.get("data", {}) for output in cell.outputs) == 1


@in_every_notebook
def test_every_cell_with_a_caption_has_stored_its_picture_or_table(path):
    captioned = [
        cell for cell in cells_of(path, "code") if "figure" in cell.metadata.get("mystnb", {})
    ]
    assert captioned
    for cell in captioned:
        name = cell.metadata["mystnb"]["figure"]["name"]
        assert draws(cell) or (tabulates(cell) and name.startswith("tab-")), name


def test_no_two_pictures_have_the_same_name():
    names = [
        cell.metadata["mystnb"]["figure"]["name"]
        for path in NOTEBOOKS
        for cell in filter(draws, cells_of(path, "code"))
    ]
    assert len(set(names)) == len(names)


@in_every_notebook
def test_it_is_light(path):
    assert path.stat().st_size < 800_000
    for cell in filter(draws, cells_of(path, "code")):
        for output in cell.outputs:
            assert len(output.get("data", {}).get("image/png", "")) * 3 / 4 < 70_000, cell.source


def test_the_whole_book_is_light():
    files = [file for file in (ROOT / "book").rglob("*") if file.is_file()]
    sizes = {file: file.stat().st_size for file in files if "__pycache__" not in file.parts}
    results = {file for file in sizes if file.parent.name == "results"}  # for code in the pages
    drawings = {file for file in sizes if file.suffix == ".svg"}  # see tests/test_drawings.py
    assert sum(sizes[file] for file in results) < 4e6
    assert sum(size for file, size in sizes.items() if file not in results | drawings) < 5e6


def test_the_cards_of_the_first_page_lead_where_their_titles_say():
    text = (ROOT / "book" / "index.md").read_text(encoding="utf-8")
    cards = dict(re.findall(r"\{grid-item-card\} (.+)\n:link: (\S+)\n", text))
    assert cards["Run"] == "install"  # not a chapter: there one has to have installed it already
    assert cards["Read"] == NOTEBOOKS[0].stem
    assert cards["Use"] == "api"


@in_every_notebook
def test_it_has_the_headings_of_the_template_in_order(path):
    text = "\n\n".join(cell.source for cell in cells_of(path, "markdown"))
    levels = [(len(marks), title) for marks, title in re.findall(r"^(#+) (.+)$", text, re.M)]
    assert [level for level, _ in levels].count(1) == 1
    assert levels[0][0] == 1
    assert all(after - before <= 1 for (before, _), (after, _) in pairwise(levels))
    second = [title for level, title in levels if level == 2]
    assert second[: len(HEADINGS)] == HEADINGS
    assert second[-len(LAST_HEADINGS) :] == LAST_HEADINGS


@in_every_notebook
def test_what_a_colon_promises_comes_before_the_next_heading(path):
    for cell in cells_of(path, "markdown"):
        torn = re.search(r"[^:]:\n\s*\n#+ .*", cell.source)
        assert not torn, torn.group()


@in_every_notebook
def test_long_lists_of_imports_are_folded(path):
    for cell in cells_of(path, "code"):
        if len(re.findall(r"^(?:import|from) ", cell.source, flags=re.M)) > 3:
            assert {"hide-input", "remove-cell"} & set(cell.metadata.get("tags", [])), cell.source


@pytest.mark.parametrize("path", NOTEBOOKS[2:], ids=lambda path: path.stem)
def test_no_mean_is_taken_for_a_frequency(path):
    for cell in cells_of(path, "markdown"):
        assert not re.search(r"units are (?:active|on) half of the time", cell.source), cell.source


@in_every_notebook
def test_cells_are_short(path):
    cells = [c for c in cells_of(path, "code") if "needs-saelib" not in c.metadata.get("tags", [])]
    imports, *others = cells  # one name per line if there are many
    assert imports.source.startswith(("import", "from"))
    for cell in others:
        assert len(cell.source.splitlines()) <= 25, cell.source


@in_every_notebook
def test_no_printed_line_is_cut_on_a_phone(path):
    """360 dots show 39 characters, 34 in a solution; of a wide table the first columns show."""
    for cell in cells_of(path, "code"):
        limit = 34 if "solution" in cell.metadata.get("tags", []) else 39
        for lines in map(str.splitlines, texts_of(cell)):
            widths = [len(line.rstrip()) for line in lines]
            for line, width in zip(lines, widths, strict=True):
                in_table = sum(abs(width - other) <= 1 for other in widths) >= 4
                assert width <= (60 if in_table else limit), line


def test_every_numbered_equation_has_its_function_and_its_test():
    specification = importlib.util.spec_from_file_location(
        "equation_map", ROOT / "book" / "_ext" / "equation_map.py"
    )
    equation_map = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(equation_map)
    assert len(equation_map.equations()) >= 26
    assert equation_map.complaints() == []


def letters_of(text):
    """Return the letters, Greek ones by name, that stand alone in the formulas of a text."""
    found = set()
    for formula in re.findall(r"\$\$.*?\$\$|\$[^$]+\$", text, re.S):
        bare = re.sub(r"\\(?:text\w*|operatorname\*?|mathrm|begin|end)\{[^}]*\}", " ", formula)
        found |= set(re.findall(r"\\((?:var)?[A-Za-z]+)", bare)) & GREEK
        bare = re.sub(r"\\[A-Za-z]+|#\w+", " ", bare)
        found |= set(re.findall(r"(?<![A-Za-z])[A-Za-z](?![A-Za-z])", bare))
    return found


GREEK = {f"{prefix}{name}" for prefix in ("", "var") for name in
         ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda",
          "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega", "Delta",
          "Gamma", "Theta", "Lambda", "Pi", "Sigma", "Phi", "Psi", "Omega")}  # fmt: skip


@in_every_notebook
def test_the_page_of_notation_has_every_letter(path):
    known = letters_of((ROOT / "book" / "notation.md").read_text(encoding="utf-8"))
    text = "\n\n".join(cell.source for cell in cells_of(path, "markdown"))
    assert letters_of(text) <= known


@in_every_notebook
def test_one_letter_is_used_for_what_all_chapters_share(path):
    """On the page of notation f is a function, k counts inputs, a multiplier is kappa."""
    for cell in cells_of(path, "markdown"):
        assert not re.search(r"R\(f\)|f_0|\$1/f\$(?!\.)|\\ln\b", cell.source), cell.source
        assert not re.search(r"\$k\$ (?:active|largest|units)|dimension \$k\$", cell.source)
        assert not re.search(r"means? of the rows", cell.source), "say column means"
        assert "\\kappa" not in cell.source or path.stem.startswith("07-")


def cell_that_prints(value, stored):
    output = nbformat.v4.new_output("stream", name="stdout", text=f"{stored}\n")
    return nbformat.v4.new_code_cell(f"print({value})", outputs=[output], execution_count=1)


def start_of_the_first_chapter(*, changed):
    """The cells up to the first that prints a number, whose last digit may be another."""
    cells = cells_of(NOTEBOOKS[0], "code")
    printing = next(
        k for k, cell in enumerate(cells) if re.search(r"\d", json.dumps(texts_of(cell)))
    )
    for output in cells[printing].outputs if changed else []:
        if output.output_type == "stream":
            output.text = re.sub(
                r"(\d)(?=\D*$)", lambda digit: str((int(digit[1]) + 1) % 10), output.text
            )
    return cells[: printing + 1]


def test_the_comparison_passes_what_is_right_and_stops_what_is_not(tmp_path):
    raises = nbformat.v4.new_code_cell("assert 2 + 2 == 5", execution_count=1)
    notebooks = {
        "right": [cell_that_prints(0.387, stored=0.387)],
        "another-digit": [cell_that_prints(0.387, stored=0.386)],
        "raises": [raises],
        "chapter": start_of_the_first_chapter(changed=False),
        "chapter-with-another-digit": start_of_the_first_chapter(changed=True),
    }
    for name, cells in notebooks.items():
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / f"{name}.ipynb")
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(ROOT / "tools" / "nbval.ini")]
    command += ["--rootdir", str(tmp_path), "--nbval", "--nbval-sanitize-with"]
    command += [str(ROOT / "tools" / "nbval-sanitize.cfg"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    failed = re.findall(r"^FAILED (?:\S*/)?([\w-]+)\.ipynb::", done.stdout, re.M)
    assert sorted(failed) == ["another-digit", "chapter-with-another-digit", "raises"], done.stdout
    assert f"3 failed, {sum(map(len, notebooks.values())) - 3} passed" in done.stdout


def texts_of(cell):
    return [output.text for output in cell.outputs if output.output_type == "stream"]


def test_the_colours_of_the_notation_are_those_of_the_figures_in_both_themes():
    """The dark theme turns drawings around: invert(1) hue-rotate(180deg), as CSS defines them."""
    from saelib.plotting.style import COLOURS, INK

    def dark(colour):
        red, green, blue = (255 - int(colour[k : k + 2], 16) for k in (1, 3, 5))
        turned = (
            -0.574 * red + 1.43 * green + 0.144 * blue,
            0.426 * red + 0.43 * green + 0.144 * blue,
            0.426 * red + 1.43 * green - 0.856 * blue,
        )
        return "#" + "".join(f"{round(min(255, max(0, part))):02X}" for part in turned)

    rows = re.findall(r"^\| \w+ \| <span.*$", (ROOT / "book" / "notation.md").read_text(), re.M)
    shown = [re.findall(r"#[0-9A-F]{6}", row) for row in rows]
    wanted = [[colour, colour, dark(colour), dark(colour)] for colour in [*COLOURS.values(), INK]]
    assert shown == wanted
