"""The notebooks for readers: every exercise has one shape, stubs fail politely, solutions pass.

Running a learner's notebook in full would repeat what nbval does with the chapter, whose other
cells are the same. So only the stubs and checks are run here, with the cells before them that
bind a name they use, found from the syntax. A cell left out by mistake could only make a check
fail with a NameError, never make it pass. That no other cell needs a stub or a solution is shown
from the syntax too.
"""

import ast
import builtins
import importlib.util
import re
import sys
from pathlib import Path

import matplotlib as mpl
import nbformat
import pytest

from saelib.exercises import Verdict

ROOT = Path(__file__).resolve().parents[1]
specification = importlib.util.spec_from_file_location("learner", ROOT / "tools" / "learner.py")
tool = importlib.util.module_from_spec(specification)
sys.modules["learner"] = tool  # dataclasses look their module up there
specification.loader.exec_module(tool)

CHAPTERS = tool.chapters()
BOOK = tool.Book()


def read(path):
    return nbformat.read(path, as_version=4)


def in_every_chapter(test):
    return pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)(test)


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags_of(cell):
    return cell.metadata.get("tags", [])


class Names(ast.NodeVisitor):
    """The global names that a cell binds and those that it uses."""

    def __init__(self, source):
        self.bound, self.used, self.local = set(), set(), []
        self.visit(ast.parse(re.sub(r"^%.*$", "", source, flags=re.M)))

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Load):
            if not any(node.id in names for names in self.local):
                self.used.add(node.id)
        elif self.local:
            self.local[-1].add(node.id)
        else:
            self.bound.add(node.id)

    def visit_AugAssign(self, node):
        self.generic_visit(node)
        if isinstance(node.target, ast.Name) and not self.local:
            self.used.add(node.target.id)

    def visit_alias(self, node):
        name = (node.asname or node.name).split(".")[0]
        (self.local[-1] if self.local else self.bound).add(name)

    def visit_ExceptHandler(self, node):
        if node.name:
            (self.local[-1] if self.local else self.bound).add(node.name)
        self.generic_visit(node)

    def _inside(self, names, *parts):
        self.local.append(names)
        for part in parts:
            self.visit(part)
        self.local.pop()

    def visit_FunctionDef(self, node):
        (self.local[-1] if self.local else self.bound).add(node.name)
        a = node.args
        for default in [*a.defaults, *filter(None, a.kw_defaults), *node.decorator_list]:
            self.visit(default)
        names = {arg.arg for arg in [*a.posonlyargs, *a.args, *a.kwonlyargs]}
        names |= {arg.arg for arg in (a.vararg, a.kwarg) if arg}
        names |= {
            inner.id
            for inner in ast.walk(node)
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
        }
        self._inside(names, *node.body)

    def visit_ClassDef(self, node):
        (self.local[-1] if self.local else self.bound).add(node.name)
        for base in [*node.bases, *(k.value for k in node.keywords), *node.decorator_list]:
            self.visit(base)
        self._inside(set(), *node.body)

    def visit_Lambda(self, node):
        a = node.args
        for default in [*a.defaults, *filter(None, a.kw_defaults)]:
            self.visit(default)
        names = {arg.arg for arg in [*a.posonlyargs, *a.args, *a.kwonlyargs]}
        names |= {arg.arg for arg in (a.vararg, a.kwarg) if arg}
        self._inside(names, node.body)

    def _comprehension(self, node):
        names = {
            inner.id
            for generator in node.generators
            for inner in ast.walk(generator.target)
            if isinstance(inner, ast.Name)
        }
        self._inside(names, *ast.iter_child_nodes(node))

    def visit_ListComp(self, node):
        self._comprehension(node)

    def visit_SetComp(self, node):
        self._comprehension(node)

    def visit_DictComp(self, node):
        self._comprehension(node)

    def visit_GeneratorExp(self, node):
        self._comprehension(node)


def needed(cells):
    """Return the stubs and checks among the cells, and what they need, in order."""
    chosen, wanted = [], set()
    for cell in reversed(cells):
        names = Names(cell.source)
        if {"stub", "check"} & set(tags_of(cell)) or names.bound & wanted:
            chosen.append(cell)
            wanted |= names.used
    return [cells[0], *(cell for cell in reversed(chosen) if cell is not cells[0])]


def run(cell, namespace):
    """Run a cell as Jupyter does, and return the value of its last line if that is one."""
    tree = ast.parse(cell.source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), namespace)
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), "cell", "eval"), namespace)


def coded(notebook):
    """Return the exercises that a machine can judge; the others are to be done on paper."""
    return [exercise for exercise in tool.exercises(notebook) if exercise.stub or exercise.check]


@in_every_chapter
def test_an_exercise_for_paper_has_a_folded_solution_and_no_cell(path):
    every, with_code = tool.exercises(read(path)), coded(read(path))
    for exercise in [exercise for exercise in every if exercise not in with_code]:
        assert len(exercise.folded) >= 200, exercise.label
        assert exercise.solution == exercise.other == [], exercise.label


@in_every_chapter
def test_every_exercise_has_the_same_parts(path):
    found = coded(read(path))
    assert 3 <= len(found) <= 9
    number = path.stem[:2]
    for exercise in found:
        assert exercise.label.startswith(f"ex-{number}-"), exercise.label
        assert exercise.title
        head = re.match(r"\s*\*?\*?(Easy|Medium|Hard|Exercise \d+\.\d+ · )", exercise.task)
        assert head, exercise.label
        assert len(exercise.stub) == 1, exercise.label
        assert len(exercise.check) == 1, exercise.label
        assert exercise.hints >= 1, exercise.label
        assert len(exercise.solution) >= 2, exercise.label
        assert all("given" in tags_of(cell) for cell in exercise.other), exercise.label
    labels = [exercise.label for exercise in found]
    assert len(set(labels)) == len(labels)


@in_every_chapter
def test_every_solution_ends_with_the_stored_verdict_that_it_is_right(path):
    for exercise in coded(read(path)):
        outputs = exercise.solution[-1].outputs
        texts = [output.get("data", {}).get("text/plain", "") for output in outputs]
        assert any(text.startswith("✓") for text in texts), exercise.label


@in_every_chapter
def test_every_stub_and_its_stored_verdict_give_nothing_away(path):
    for exercise in coded(read(path)):
        texts = [o.get("data", {}).get("text/plain", "") for o in exercise.check[0].outputs]
        assert any(text.startswith(("○", "✗")) for text in texts), exercise.label


@in_every_chapter
def test_the_stubs_of_the_learner_s_version_fail_politely(path):
    notebook = tool.learner(read(path), BOOK)
    namespace, n_verdicts = {"__name__": "__main__"}, 0
    with mpl.rc_context():
        for cell in needed(code_of(notebook)):
            value = run(cell, namespace)
            if "check" in tags_of(cell):
                assert isinstance(value, Verdict), cell.source
                assert not value.correct, cell.source
                assert value.hints, cell.source
                n_verdicts += 1
    assert n_verdicts == len(coded(read(path)))


@in_every_chapter
def test_no_cell_of_the_learner_s_version_needs_a_solution_or_a_filled_stub(path):
    binder = dict.fromkeys(dir(builtins), "python")
    for cell in code_of(tool.learner(read(path), BOOK)):
        names = Names(cell.source)
        kind = next((tag for tag in ("stub", "check") if tag in tags_of(cell)), "cell")
        for name in names.used - names.bound:
            assert name in binder, f"{name} is not there for: {cell.source}"
            assert kind == "check" or binder[name] != "stub", f"{name}, a stub: {cell.source}"
        binder |= dict.fromkeys(names.bound, kind)


def overwritten(notebook):
    """The names that stubs bind and that cells of the chapter itself bind or use."""
    kinds = {True: set(), False: set()}
    for cell in code_of(notebook):
        names = Names(cell.source)
        if "check" not in tags_of(cell):
            is_stub = "stub" in tags_of(cell)
            kinds[is_stub] |= names.bound if is_stub else names.bound | names.used
    return kinds[True] & kinds[False]


@in_every_chapter
def test_no_stub_takes_a_name_from_the_chapter(path):
    """Who runs an earlier cell again after a stub must still meet the chapter's own function."""
    assert overwritten(tool.learner(read(path), BOOK)) == set()


def test_a_stub_that_takes_a_name_from_the_chapter_is_found():
    new = nbformat.v4
    cells = [
        new.new_code_cell("def sigmoid(z):\n    return z"),
        new.new_code_cell("print(sigmoid(1))"),
        new.new_code_cell(
            "def sigmoid(z):\n    raise NotImplementedError", metadata={"tags": ["stub"]}
        ),
    ]
    assert overwritten(new.new_notebook(cells=cells)) == {"sigmoid"}


_HEAD = re.compile(r"\s*\*Exercise (?P<number>\d+\.\d+) · \d+ min · (essential|useful|extra)\.\*")


@in_every_chapter
def test_every_exercise_says_its_number_its_minutes_and_how_much_hangs_on_it(path):
    heads = [_HEAD.match(exercise.task) for exercise in tool.exercises(read(path))]
    assert all(heads)
    chapter = int(path.stem[:2])
    assert [head["number"] for head in heads] == [f"{chapter}.{k + 1}" for k in range(len(heads))]


@pytest.mark.parametrize("path", CHAPTERS[1:], ids=lambda path: path.stem)
def test_a_chapter_begins_with_three_questions_on_the_last_one_and_folded_answers(path):
    text = next(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    box = re.search(
        r"^::::\{admonition\} Three questions on the last chapter\n:class: dropdown recall\n"
        r"(.+?):::\{admonition\} Answers\n:class: dropdown\n(.+?):::\n::::$",
        text,
        re.M | re.S,
    )
    assert box
    for part in box.groups():
        assert re.findall(r"^(\d)\. \S", part, re.M) == ["1", "2", "3"]


@in_every_chapter
def test_the_learner_s_version_holds_no_solution_and_no_output(path):
    chapter, notebook = read(path), tool.learner(read(path), BOOK)
    text = "\n".join(cell.source for cell in notebook.cells)
    sources = [cell.source for cell in notebook.cells]
    for exercise in tool.exercises(chapter):
        for cell in exercise.solution[:-1]:
            assert cell.source not in sources
        for paragraph in exercise.folded.split("\n\n"):
            assert len(paragraph) < 20 or paragraph not in text
    for cell in code_of(notebook):
        assert "solution" not in tags_of(cell)
        assert cell.outputs == []
        assert cell.execution_count is None


@in_every_chapter
def test_both_versions_are_plain_markdown_and_valid(path):
    for variant in (tool.learner, tool.solved):
        notebook = variant(read(path), BOOK)
        nbformat.validate(notebook)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                leftover = re.search(
                    r"^:{3,}|^`{3,}\{|\{[\w:]+\}`|^\([\w-]+\)=|\(\?\)", cell.source, re.M
                )
                assert not leftover, cell.source


@in_every_chapter
def test_the_solved_version_keeps_every_code_cell_with_its_outputs(path):
    chapter, notebook = code_of(read(path)), code_of(tool.solved(read(path), BOOK))
    assert [c.source for c in notebook] == [c.source for c in chapter]
    assert [c.outputs for c in notebook] == [c.outputs for c in chapter]


def small_notebook(*sources):
    new = nbformat.v4
    return new.new_notebook(
        cells=[
            new.new_code_cell(source[1:], metadata={"tags": ["solution"]})
            if source.startswith("#")
            else new.new_markdown_cell(source)
            for source in sources
        ]
    )


def test_a_solution_that_ends_in_the_middle_of_a_cell_is_cut_there():
    notebook = small_notebook(
        "before\n\n:::{exercise-start} Add\n:label: ex-01-add\n:::\n\n*Easy.* Task.\n\n"
        ":::{exercise-end}\n:::",
        ":::{solution-start} ex-01-add\n:class: dropdown\n:::\n\nsecret",
        "#secret = 2",
        "more of the secret\n\n:::{solution-end}\n:::\n\n## After",
    )
    text = "\n".join(cell.source for cell in tool.learner(notebook, BOOK).cells)
    assert "secret" not in text
    assert "### Exercise: Add" in text
    assert "before" in text
    assert "## After" in text
    full = "\n".join(cell.source for cell in tool.solved(notebook, BOOK).cells)
    assert "more of the secret" in full


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ([":::{exercise-start} A\n:label: ex-01-a\n:::\n\ntask"], "ends inside"),
        ([":::{solution-end}\n:::"], "stands inside"),
        ([":::{exercise-start} A\n:label: ex-01-a"], "never closed"),
        ([":::{solution-start} ex-01-b\n:::\n\n:::{solution-end}\n:::"], "does not follow"),
    ],
)
def test_a_broken_exercise_is_refused(sources, words):
    with pytest.raises(ValueError, match=words):
        tool.exercises(small_notebook(*sources))


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("see {doc}`notation`", "see *Notation*"),
        (
            "{func}`saelib.train` and {class}`~saelib.SparseObjective`",
            "`train` and `SparseObjective`",
        ),
        ("{term}`the cost <cost>`", "the cost"),
        ("$$\na = b\n$$ (no-such-label)", "$$\na = b\n\\tag{?}\n$$"),
        ("[words]{#symptom-nan}", "words"),
        ("(symptom-cost)=\n### The cost", "### The cost"),
        (
            ":::{admonition} Pitfall\n:class: pitfall\n\nMind the gap.\n:::",
            "> **Pitfall**\n>\n>\n> Mind the gap.",
        ),
        (":::{sidenote}\nIts unit is the nat.\n:::", "> Its unit is the nat."),
        (
            "::::{note}\n:::{admonition} Hint 1\n:class: dropdown hint\nNo.\n:::\n::::",
            "> **Note**\n>\n> <details><summary>Hint 1</summary>\n>\n> No.\n>\n> </details>",
        ),
    ],
)
def test_directives_and_roles_become_plain_markdown(source, plain):
    readable = BOOK.readable(source)
    assert readable.replace("saelib.", "") == plain


def test_every_chapter_is_written_in_both_variants(tmp_path):
    tool.main(tmp_path)
    for variant in ("learner", "solved"):
        written = sorted((tmp_path / variant).glob("*.ipynb"))
        assert [path.name for path in written] == [path.name for path in CHAPTERS]


@in_every_chapter
def test_an_exercise_names_the_function_that_its_stub_defines(path):
    text = ""
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            text += cell.source
        elif "stub" in tags_of(cell):
            task = text[text.rindex("{exercise-start}") :]
            for node in ast.parse(cell.source).body:
                if isinstance(node, ast.FunctionDef):
                    assert node.name.startswith("my_"), node.name
                    assert re.search(rf"`{node.name}\b", task), f"{node.name}: {task}"
