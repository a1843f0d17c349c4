"""What the site and the PDF are made with: addresses, equations as text, entries of the search."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.utils import new_document

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "book" / "_ext"), str(ROOT / "tools")]

import book_site  # noqa: E402
import tables  # noqa: E402
import unbroken  # noqa: E402
from plain_tex import plain  # noqa: E402
from public_address import public_address, site_address  # noqa: E402


@pytest.mark.parametrize(
    "written",
    [
        "https://github.com/someone/book",
        "https://github.com/someone/book/",
        "https://github.com/someone/book.git",
        "https://github.com/someone/book.git/",
        "http://github.com/someone/book",
        "git@github.com:someone/book.git",
        "ssh://git@github.com/someone/book.git",
        "github.com/someone/book",
        "  https://github.com/someone/book\n",
    ],
)
def test_the_public_address_has_one_form_however_it_is_written(written):
    assert public_address(written) == "https://github.com/someone/book"


@pytest.mark.parametrize(
    ("in_the_environment", "in_the_settings", "places"),
    [
        ("", "", set()),
        ("git@github.com:someone/book.git", "", {"binderhub_url"}),
        ("https://github.com/a/fork", "https://github.com/someone/book", {"binderhub_url"}),
        ("", "https://github.com/someone/book.git", {"binderhub_url", "colab_url"}),
        (
            "https://github.com/someone/book",
            "github.com/someone/book/",
            {"binderhub_url", "colab_url"},
        ),
    ],
)
def test_colab_is_offered_where_the_committed_notebooks_know_what_to_install(
    in_the_environment, in_the_settings, places, monkeypatch
):
    monkeypatch.setenv("SAELIB_REPOSITORY", in_the_environment)
    options = {"repository_url": in_the_settings}
    config = SimpleNamespace(
        html_theme_options=options,
        html_context={},
        html_baseurl="",
        myst_substitutions={},
        copyright="",
        author="",
    )
    tags = set()
    book_site.configure(SimpleNamespace(tags=tags), config)
    assert {key for key in options["launch_buttons"] if key.endswith("_url")} == places
    assert ("colab" in tags) == ("colab_url" in places)


def test_a_group_within_a_group_is_an_address_where_there_are_such():
    assert public_address("git@gitlab.com:a/b/c.git") == "https://gitlab.com/a/b/c"


@pytest.mark.parametrize(
    "written",
    [
        "someone/book",
        "https://github.com/someone",
        "https://github.com/someone/book/tree/main",
        "https://example.org/someone/book",
        "https://github.com.example.org/someone/book?x",
        "git@github.com",
        "ftp://github.com/someone/book",
        "nonsense",
    ],
)
def test_what_is_no_address_is_refused_in_one_line_that_says_what_to_do(written):
    with pytest.raises(ValueError, match="SAELIB_REPOSITORY") as error:
        public_address(written)
    assert repr(written) in str(error.value)
    assert "https://github.com/owner/name" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("repository", "site"),
    [
        ("https://github.com/Some-One/book", "https://some-one.github.io/book/"),
        ("https://github.com/someone/someone.github.io", "https://someone.github.io/"),
        ("https://gitlab.com/someone/book", ""),
        ("", ""),
    ],
)
def test_the_site_is_where_the_repository_publishes_it(monkeypatch, repository, site):
    monkeypatch.delenv("SAELIB_SITE_ADDRESS", raising=False)
    assert site_address(repository) == site
    monkeypatch.setenv("SAELIB_SITE_ADDRESS", "https://books.example/sae")
    assert site_address(repository) == "https://books.example/sae/"


def in_tools(code, **variables):
    """Run code beside the tools with other variables in the environment."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "tools",
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_another_address_makes_another_book():
    printed = {
        address: in_tools("import book; print(book.fingerprint())", SAELIB_REPOSITORY=address)
        for address in ("", "https://github.com/a/b", "https://github.com/a/c")
    }
    assert all(result.returncode == 0 for result in printed.values())
    assert len({result.stdout for result in printed.values()}) == 3


def test_a_wrong_address_ends_the_build_with_one_line_before_it_begins():
    result = in_tools(
        "import sys, book; sys.exit(book.main())", SAELIB_REPOSITORY="https://github.com/someone"
    )
    assert result.returncode == 1
    assert result.stdout.startswith("Sorry: the public address")
    assert result.stdout.count("\n") == 1
    assert not result.stderr


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"\frac{\lambda}{2} \lVert W^{(1)} \rVert^2", "λ/2‖W⁽¹⁾‖²"),
        (r"\hat\rho_j = \frac1m \sum_{i=1}^{m} a_{ij}", "ρ̂_j = 1/m ∑ a_ij"),
        (r"\theta \leftarrow \theta - \eta\, \nabla J_\text{sparse}", "θ ← θ- η ∇J_sparse"),
        (r"\mathrm{KL}(\rho \,\Vert\, \hat\rho)", "KL(ρ‖ρ̂)"),
        (r"\frac{1-\rho}{1-\hat\rho}", "(1-ρ)/(1-ρ̂)"),
    ],
)
def test_an_equation_becomes_a_line_of_text(tex, text):
    assert plain(tex) == text


def test_no_equation_of_the_book_leaves_anything_of_tex_in_its_text():
    specification = importlib.util.spec_from_file_location(
        "equation_map_for_search", ROOT / "book" / "_ext" / "equation_map.py"
    )
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    found = module.equations()
    assert len(found) >= 26
    for equation in found:
        assert not re.search(r"[\\{}&]|\$", plain(equation.tex)), equation


def test_an_equation_is_a_link_whether_a_docstring_names_its_label_or_its_number():
    import equation_map

    known = {"4.1": "kl-bernoulli", "4.2": "kl-gradient"}
    cited = "Eq. (4.1) ``kl-bernoulli``, and Eq. (4.2).\n\n>>> check(1)\nIn the book: Eq. (4.2).\n"
    assert equation_map.linked(cited, known) == (
        "Eq. :eq:`kl-bernoulli`, and Eq. :eq:`kl-gradient`.\n\n"
        ">>> check(1)\nIn the book: Eq. (4.2).\n"
    )
    assert equation_map.linked("Eq. (9.9)", known) == "Eq. (9.9)"


def test_words_of_code_in_the_colour_of_all_code_have_no_box_of_their_own():
    line = '<span class="k">def</span><span class="w"> </span><span class="nf">f</span>'
    line += '<span class="p">(</span><span class="n">x</span><span class="p">)</span>'
    bare = '<span class="k">def</span> <span class="nf">f</span>(x)'
    for block in (f"<pre>{line}</pre>", f'<pre id="codecell1"><span></span>{line}\n{line}</pre>'):
        assert book_site.polished(block, "a", {}) == block.replace(line, bare)
    assert book_site.polished(f"<dt>{line}</dt>", "a", {}) == f"<dt>{line}</dt>"


def test_the_pdf_says_who_wrote_it_and_names_no_local_file(tmp_path):
    import pdf
    from pypdf import PdfReader, PdfWriter
    from pypdf.annotations import Link

    target = tmp_path / "book.pdf"
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.write(target)
    pdf.describe(target)
    about = PdfReader(target).metadata
    assert about.author == "The saelib authors"
    assert about.title == "Sparse autoencoders"
    assert about.creator == "saelib"  # and not the browser that printed it
    writer.add_annotation(0, Link(rect=(0, 0, 9, 9), url="file:///somewhere/genindex.html"))
    writer.write(target)
    with pytest.raises(SystemExit, match="genindex"):
        pdf.describe(target)


def test_in_the_pdf_what_is_on_the_site_only_is_no_link_or_has_its_full_address(monkeypatch):
    import pdf
    from bs4 import BeautifulSoup

    text = (
        '<article class="bd-article"><p id="x"><a href="notebooks/learner/a.ipynb">get it</a> '
        '<a href="b.html#y">b</a> <a href="#x">x</a> <a href="https://e.org/">e</a></p></article>'
    )
    monkeypatch.setattr(pdf, "soup_of", lambda page: BeautifulSoup(text, "html.parser"))
    hrefs = re.findall(r'href="([^"]+)"', pdf.chapter("a", {"a", "b"}))
    assert hrefs == ["#b--y", "#a--x", "https://e.org/"]
    hrefs = re.findall(r'href="([^"]+)"', pdf.chapter("a", {"a", "b"}, "https://s.org/"))
    assert hrefs[0] == "https://s.org/notebooks/learner/a.ipynb"


def test_in_the_pdf_marks_of_claims_are_no_words_of_the_text_and_cards_have_no_second_name(
    monkeypatch,
):
    import pdf
    from bs4 import BeautifulSoup

    text = (
        '<article class="bd-article"><h1>A book</h1><p>It stops '
        '<a href="claims.html#claim-x">measured</a> <a href="claims.html#claim-y">measured</a>.</p>'
        '<div class="sd-card">Use<a class="sd-stretched-link" href="api.html">Reference</a></div>'
        "</article>"
    )
    monkeypatch.setattr(pdf, "soup_of", lambda page: BeautifulSoup(text, "html.parser"))
    printed = BeautifulSoup(pdf.chapter("a", {"a"}), "html.parser")
    assert printed.get_text() == "A bookIt stops [measured].Use"
    assert printed.select_one(".remark").get_text() == "[measured]"
    assert "<h1>Preface</h1>" in pdf.chapter("index", {"index"})


def test_in_the_pdf_a_link_to_another_chapter_says_on_which_page(monkeypatch):
    import pdf
    from bs4 import BeautifulSoup

    text = (
        '<article class="bd-article"><details class="above-input"><pre>import</pre></details>'
        '<a href="02-b.html#y">b</a> <a href="02-b.html">all</a> <a href="#x">x</a></article>'
    )
    monkeypatch.setattr(pdf, "soup_of", lambda page: BeautifulSoup(text, "html.parser"))
    printed = pdf.numbered(pdf.chapter("01-a", {"01-a", "02-b"}), {"02-b--y": 57})
    words = BeautifulSoup(printed, "html.parser").get_text()
    assert words == "b [p. 57] all x"  # without the imports, which the site folds


def test_the_contents_of_the_pdf_have_sections_and_its_pages_a_running_head(monkeypatch):
    import pdf
    from bs4 import BeautifulSoup

    text = (
        '<article class="bd-article"><section id="a"><h1>A</h1><section id="goals"><h2>1.1. Goals'
        '<a class="headerlink" href="#goals">#</a></h2></section></section></article>'
    )
    monkeypatch.setattr(pdf, "soup_of", lambda page: BeautifulSoup(text, "html.parser"))
    lines = pdf.listed([("01-a", "1. A"), ("notation", "Notation")], {"01-a--goals": 3})
    assert len(lines) == 3
    assert lines[1].endswith('<a href="#01-a--goals">1.1. Goals</a><span>3</span></li>')
    head = pdf.heads([("01-a", 'A "small" one')])
    assert '@page p-01-a:left { @top-left { content: "A \\"small\\" one";' in head
    assert 'style="page: p-01-a"' in pdf.chapter("01-a", {"01-a"})


def test_the_text_face_of_the_pdf_is_there():
    import pdf

    files = re.findall(r'url\("file://([^"]+)"\)', pdf.faces())
    assert len(files) == 4
    assert all(Path(file).is_file() for file in files)


SCRIPTS = sorted((ROOT / "book" / "_static" / "js").glob("explore*.js"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_of_figures_to_move_are_small(script):
    assert script.stat().st_size < 30_000


def test_every_script_of_figures_to_move_is_asked_for_by_a_page():
    source = (ROOT / "book" / "_ext" / "book_site.py").read_text(encoding="utf-8")
    assert [script.name for script in SCRIPTS if f'"{script.name}"' not in source] == []


def test_a_figure_that_holds_a_table_and_no_picture_is_numbered_as_a_table():
    def figure(*content):
        return nodes.figure("", *content, nodes.caption("", "What."), ids=["a-name"])

    table = nodes.raw("", "<table></table>", format="html")
    document = new_document("a page")
    document += [figure(table), figure(table.deepcopy(), nodes.image()), figure(nodes.image())]
    tables.NumberTables(document).apply()
    kinds = [type(node) for node in document]
    assert kinds == [tables.table_figure, nodes.figure, nodes.figure]
    assert document[0]["ids"] == ["a-name"]
    assert document.ids["a-name"] is document[0]  # where references look it up
    assert tables.caption_of(document[0]) == "What."


def test_a_unit_stays_with_its_number_and_a_hyphen_with_its_name():
    document = new_document("text")
    code = nodes.literal("", "10 % 1e-3")
    document += nodes.paragraph("", "", nodes.Text("10 % by L-BFGS to 1e-3, 5 mistakes "), code)
    unbroken.Unbroken(document).run()
    assert document.astext() == "10\N{NO-BREAK SPACE}% by L-BFGS to 1e-3, 5 mistakes 10 % 1e-3"
    kept = [box.astext() for box in document.findall(nodes.inline) if "unbroken" in box["classes"]]
    assert kept == ["L-BFGS", "1e-3"]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("float, at least 0", "float, at least~0"),
        ("greater than 0, at most −1", "greater than~0, at most~−1"),
        ("1.73 × 10⁻¹³", "1.73~×~10⁻¹³"),
        ("at least one of 3 × 4", "at least one of 3 × 4"),
    ],
)
def test_a_number_stays_with_its_bound_and_its_power(text, kept):
    assert unbroken.kept_together(text) == kept.replace("~", "\N{NO-BREAK SPACE}")


def test_a_name_in_code_breaks_where_it_is_long_but_not_behind_a_short_word():
    def broken(name):
        code = f'<code class="literal"><span class="pre">{name}</span></code>'
        return re.search('"pre">(.*)</span></code>', book_site.breakable(re.match(".*", code)))[1]

    assert broken('np.errstate(over="ignore_it")') == 'np.errstate(over="ignore_<wbr>it")'
    assert broken("tests/test_activations.py") == "tests/test_<wbr>activations.py"
    assert broken("l-bfgs") == '<span class="unbroken">l-bfgs</span>'
