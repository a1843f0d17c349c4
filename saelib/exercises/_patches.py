"""Exercises on data: drawing patches from images and normalizing them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from saelib.exercises._derivation import Case, Exercise, Mistake, Step
from saelib.exercises._first_word import while_looking
from saelib.exercises._follow import follow
from saelib.exercises._learner import call_as_typed
from saelib.exercises._run import Trouble, run, valid_time_limit
from saelib.exercises._verdict import Verdict


def _patch_cases(rng: np.random.Generator) -> list[Case]:
    def patches(m: int, n: int) -> Any:
        # Heavy tails, so that clipping shows; each patch with a brightness and contrast of its own.
        tails = rng.standard_t(3, size=(m, n)) * rng.uniform(0.5, 2, size=(m, 1))
        return tails + rng.normal(scale=2, size=(m, 1)) + np.linspace(-1, 1, n)

    return [
        Case("for 4x4 patches", (patches(60, 16),)),
        Case("for dark patches of low contrast", (0.05 * patches(50, 9) - 4.0,)),
    ]


NORMALIZE_PATCHES = Exercise(
    name="normalize_patches",
    axes={"patches": "mn"},
    signature="normalize_patches(patches), one patch per row",
    chapter="chapter 6, Eq. (6.2)",
    cases=_patch_cases,
    steps=(
        Step("mean", "the mean of each patch", lambda patches: patches.mean(axis=1, keepdims=True)),
        Step("centred", "the patches without their means", lambda patches, mean: patches - mean),
        Step("sd", "the standard deviation, Eq. (6.2)", lambda centred: centred.std()),
        Step("limit", "three standard deviations", lambda sd: 3 * sd),
        Step(
            "clipped", "the clipped patches", lambda centred, limit: np.clip(centred, -limit, limit)
        ),
        Step("scaled", "the patches between -1 and 1", lambda clipped, limit: clipped / limit),
        Step(
            "result",
            "the patches between 0.1 and 0.9, Eq. (6.2)",
            lambda scaled: (scaled + 1) * 0.4 + 0.1,
        ),
    ),
    # The MATLAB of the original assignment divides by N - 1 in its standard deviation.
    accepted=({"sd": lambda centred: centred.std(ddof=1)},),
    mistakes=(
        Mistake(
            "global-mean",
            "One mean is removed from all patches together; each patch needs its own.",
            "Is the mean of each of your patches the same?",
            "keepdims=True lets a mean per row be subtracted from the rows.",
            "MATLAB's patches - mean(patches(:))",
            edits={"mean": lambda patches: patches.mean()},
        ),
        Mistake(
            "pixel-mean",
            "The mean of each pixel over the patches is removed; each patch needs its own mean.",
            "axis=0 runs over the patches, axis=1 over the pixels of one.",
            "A bright patch and a dark one should look alike afterwards.",
            "MATLAB's mean(patches) where patches are columns, carried over to rows",
            edits={"mean": lambda patches: patches.mean(axis=0)},
        ),
        Mistake(
            "mean-kept",
            "The mean of the patches is not removed.",
            "Add 1 to every pixel of a patch: the result should not change.",
            "Eq. (6.2) begins with a difference.",
            edits={"mean": lambda: 0.0},
        ),
        Mistake(
            "sd-before-mean",
            "The standard deviation is that of the raw patches, before their means were removed.",
            "The differences in brightness count in it, and they are gone by then.",
            "Exchange two lines.",
            edits={"sd": lambda patches: patches.std()},
        ),
        Mistake(
            "sd-per-patch",
            "Each patch is divided by its own standard deviation; one for all is asked for.",
            "Flat patches should stay flat. What happens to their noise in your version?",
            "The standard deviation of Eq. (6.2) is a single number.",
            "contrast normalization, as in Coates & Ng (2011), is another preprocessing",
            edits={"sd": lambda centred: centred.std(axis=1, keepdims=True)},
        ),
        Mistake(
            "sd-per-pixel",
            "Each pixel is divided by its own standard deviation; one for all is asked for.",
            "The standard deviation of Eq. (6.2) is a single number.",
            "np.std without axis takes all entries together.",
            edits={"sd": lambda centred: centred.std(axis=0)},
        ),
        Mistake(
            "not-clipped",
            "Outliers are not clipped, so some values leave the range of the sigmoid.",
            "What are the smallest and the largest value of your result?",
            "np.clip, at three standard deviations on both sides.",
            edits={"clipped": lambda centred: centred},
        ),
        Mistake(
            "limit-without-sd",
            "The clipping is at ±3, not at ±3 standard deviations.",
            "Multiply all patches by 100: the result should not change.",
            "Three times what?",
            edits={"limit": lambda: 3.0},
        ),
        Mistake(
            "one-sd",
            "The clipping is at one standard deviation; three are asked for.",
            "What share of the values of yours sits exactly at the ends?",
            "Count the 3 in Eq. (6.2).",
            edits={"limit": lambda sd: sd},
        ),
        Mistake(
            "largest-value",
            "The scale is set by the largest value, so that one outlier makes all else grey.",
            "Eq. (6.2) takes its scale from the standard deviation.",
            "First clip at three standard deviations, then divide by the same limit.",
            edits={"limit": lambda centred: np.abs(centred).max()},
        ),
        Mistake(
            "range-minus-one-to-one",
            "The result runs from -1 to 1; the last step, to [0.1, 0.9], is missing.",
            "Which values can a sigmoid output reproduce?",
            "A straight line that takes -1 to 0.1 and 1 to 0.9.",
            edits={"result": lambda scaled: scaled},
        ),
        Mistake(
            "range-zero-to-one",
            "The result runs from 0 to 1; [0.1, 0.9] is asked for.",
            "A sigmoid reaches 0 and 1 only at infinite weights.",
            "A straight line that takes -1 to 0.1 and 1 to 0.9.",
            edits={"result": lambda scaled: (scaled + 1) / 2},
        ),
        Mistake(
            "two-sd",
            "The clipping is at two standard deviations; three are asked for.",
            "What share of the values of yours sits exactly at the ends?",
            "Count the 3 in Eq. (6.2).",
            edits={"limit": lambda sd: 2 * sd},
        ),
        Mistake(
            "smallest-and-largest",
            "The smallest and the largest pixel of all set the scale; no mean is removed.",
            "What does one single outlier do to all other patches?",
            "Eq. (6.2) removes the mean of each patch and takes its scale from the deviation.",
            "scaling between minimum and maximum",
            edits={
                "result": lambda patches: (
                    (patches - patches.min()) / (patches.max() - patches.min()) * 0.8 + 0.1
                )
            },
        ),
        Mistake(
            "range-shifted-only",
            "The result is shifted, but not brought into [0.1, 0.9].",
            "What are the smallest and the largest value of your result?",
            "A straight line that takes -1 to 0.1 and 1 to 0.9.",
            edits={"result": lambda scaled: scaled + 1},
        ),
    ),
)

_CODE = 1000  # value of a pixel: image, row and column, each below this number


class _Setting(NamedTuple):
    """What a sampler is asked for: images of which shapes, how many patches of which side."""

    shapes: tuple[tuple[int, int], ...]
    n_patches: int
    side: int

    @property
    def reaches_every_place(self) -> bool:
        """Whether there are so many patches that a place that is never drawn is a mistake."""
        places = [(rows - self.side + 1) * (cols - self.side + 1) for rows, cols in self.shapes]
        return self.n_patches >= 10 * sum(places)

    @property
    def images(self) -> list[Any]:
        return [
            float(k + 1) * _CODE**2
            + (np.arange(rows)[:, None] + 1.0) * _CODE
            + (np.arange(columns) + 1.0)
            for k, (rows, columns) in enumerate(self.shapes)
        ]


_SETTING = _Setting(((7, 9), (8, 6), (6, 6)), 6000, 3)
_SMALL_SETTING = _Setting(((3, 4), (4, 3), (3, 3)), 200, 2)
# Too few patches to reach every place, enough to see whether they are patches: what a search
# tries thousands of times.
_TINY_SETTING = _SMALL_SETTING._replace(n_patches=12)

SAMPLING_MISTAKES = (
    Mistake(
        "image-redrawn-per-pixel",
        "The pixels of one patch come from different images.",
        "How often is the image chosen: once per patch, or in the innermost loop?",
        "Draw the image first and keep it until the patch is full.",
        "a loop over pixels with the random index inside of it",
    ),
    Mistake(
        "position-redrawn-per-pixel",
        "The pixels of one patch are not neighbours in the image.",
        "A patch is a square cut out in one piece.",
        "Draw one corner per patch and slice from there.",
    ),
    Mistake(
        "columns-first",
        "Each patch is stored column by column; it will be shown transposed.",
        "Reshape one of your rows to a square and compare it with the image.",
        "ravel goes row by row unless told otherwise (MATLAB goes column by column).",
        "MATLAB's reshape carried over",
    ),
    Mistake(
        "last-position-missing",
        "The last possible position, at the bottom or right edge, is never drawn.",
        "How many places does a window of size p have on n pixels: n - p, or one more?",
        "The upper end of rng.integers is not included.",
        "an upper end that is not included",
    ),
    Mistake(
        "first-position-missing",
        "The first position, at the top or left edge, is never drawn.",
        "Python counts from 0.",
        "Where does the range of your random corner start?",
        "MATLAB's randi, which counts from 1",
    ),
    Mistake(
        "row-equals-column",
        "Row and column of the corner are always the same: patches come from the diagonal only.",
        "One random number cannot set two coordinates.",
        "Draw the row and the column separately.",
    ),
    Mistake(
        "one-image",
        "All patches come from one image.",
        "Which line chooses the image?",
        "Draw an image number for each patch.",
    ),
    Mistake(
        "last-image-missing",
        "The last image is never chosen.",
        "The upper end of rng.integers is not included.",
        "With k images the numbers 0 to k - 1 are all possible.",
    ),
    Mistake(
        "same-patch",
        "All patches are the same one.",
        "Where is the random generator made: once, or anew for every patch?",
        "A generator that is seeded again gives the same number again.",
    ),
    Mistake(
        "seed-ignored",
        "The same seed gives other patches on the second call.",
        "Is the generator made from the seed?",
        "np.random.default_rng(seed), once, at the top.",
    ),
    Mistake(
        "seed-fixed",
        "Another seed gives the same patches.",
        "Is there a number in your code where seed should stand?",
        "np.random.default_rng(seed), once, at the top.",
    ),
    Mistake(
        "examples-in-columns",
        "The patches are in the columns; here every row is one example.",
        "The lecture notes put examples in columns, this book puts them in rows.",
        "The shape is (n_patches, patch_size**2).",
        "MATLAB convention of the assignment",
    ),
    Mistake(
        "squares",
        "The patches are squares still; here every patch is one row of numbers.",
        "The shape is (n_patches, patch_size**2).",
        "ravel makes one row of a square.",
    ),
    Mistake(
        "turned",
        "The patches are flipped or turned.",
        "Reshape one of your rows to a square and compare it with the image.",
        "Does one of your slices run backwards, or are rows and columns exchanged on the way?",
    ),
    Mistake(
        "images-missing",
        "One of the images is never chosen.",
        "Which numbers can your choice of an image give?",
        "With k images the numbers 0 to k - 1 are all possible.",
    ),
    Mistake(
        "images-unequal",
        "Some images are chosen more often than others; all should be equally likely.",
        "Does a larger image come up more often in yours?",
        "Draw the image first, then a place in it: not one place among all there are.",
        "one index drawn into all positions of all images",
    ),
    Mistake(
        "corners-only",
        "All patches come from the corners of an image.",
        "Between which numbers does your row lie, and does it take those in between?",
        "choice((0, end)) takes one of two numbers, integers(0, end + 1) one of all.",
    ),
    Mistake(
        "row-follows-column",
        "In a square image row and column of the corner are always equal: two generators with "
        "the same seed give the same numbers.",
        "How many generators are there, and what are they seeded with?",
        "One generator, made once; draw the row, then the column from it.",
    ),
    Mistake(
        "every-second-place",
        "Only every second row or column is ever a corner.",
        "Can your patch begin in row 1?",
        "Patches may overlap; the corner can be any place where the patch fits.",
    ),
    Mistake(
        "places-unequal",
        "Some places in an image are never or hardly ever drawn.",
        "List the corners that your function draws in a small image: which are not there?",
        "Every corner at which the patch fits is as likely as any other.",
    ),
    Mistake(
        "values-changed",
        "The patches hold values that no image has.",
        "Sampling only copies pixels; normalizing comes later.",
        "Is the array for the result of a type that can hold the pixels?",
    ),
)


def check_sampling(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Judge a patch sampler by images whose every pixel says where it comes from."""
    time_limit = valid_time_limit(time_limit)
    verdict = _judge_sampler(function, seed, time_limit)
    return replace(verdict, call=call_as_typed("check_sample_patches", function))


def _judge_sampler(function: Callable[..., Any], seed: int | None, time_limit: float) -> Verdict:
    first_seed = int(np.random.default_rng(seed).integers(10_000, 20_000))
    try:
        mistake = _mistake_of(function, _SETTING, first_seed, time_limit)
    except Trouble as trouble:
        lines: tuple[str, ...] = (str(trouble),)
        hints: tuple[str, ...] = (trouble.hint,)
        found = None
        if trouble.kind not in ("not-written", "not-a-function", "too-slow"):
            with while_looking(SAMPLER.name):
                found = follow(SAMPLER, function, _sampler_cases(first_seed))
        numbers = trouble.where[:1]
        if found is not None:
            lines, hints, numbers = (*lines, *found.lines), (*hints, *found.hints), found.numbers
        return Verdict(
            SAMPLER.name,
            False,
            (trouble.kind,),
            lines,
            hints,
            "chapter 6",
            waits_for=trouble.waits_for,
            line_numbers=numbers,
        )
    if mistake is None:
        line = "Every patch is a square of one image, and every position in every image is reached."
        return Verdict(SAMPLER.name, True, (), (line,))
    entry = next(entry for entry in SAMPLING_MISTAKES if entry.name == mistake)
    return Verdict(
        SAMPLER.name,
        False,
        (mistake,),
        (entry.explanation,),
        (entry.hint, entry.second_hint),
        SAMPLER.chapter,
    )


def _mistake_of(
    function: Callable[..., Any], setting: _Setting, seed: int, time_limit: float
) -> str | None:
    draws: list[Any] = []
    for draw_seed in (seed, seed, seed + 1):
        arguments = (setting.images, setting.n_patches, setting.side, draw_seed)
        draws.append(run(function, arguments, 1, time_limit)[0])
        mistake = _sampling_mistake(draws, setting)
        if mistake is not None and len(draws) == 1:
            return mistake
    return _seed_mistake(draws)


def _sampler_cases(seed: int) -> list[Case]:
    return [
        Case(label, (setting.images, setting.n_patches, setting.side, seed))
        for label, setting in (
            ("for few patches", _TINY_SETTING),
            ("for small images", _SMALL_SETTING),
            ("for larger images", _SETTING),
        )
    ]


def _samples_rightly(function: Callable[..., Any], case: Case) -> bool:
    images, n_patches, side, seed = case.arguments
    setting = _Setting(tuple(image.shape for image in images), n_patches, side)
    draws = []
    try:
        for draw_seed in (seed, seed, seed + 1):
            drawn = function(images, n_patches, side, draw_seed)
            draws.append(np.asarray(drawn, dtype=np.float64))
            if len(draws) == 1 and _sampling_mistake(draws, setting) is not None:
                return False
            if not setting.reaches_every_place:
                return True
    except Exception:  # a changed program may do anything
        return False
    return _seed_mistake(draws) is None


def _sampling_mistake(draws: list[Any], setting: _Setting) -> str | None:
    patches, side, n_patches = draws[0], setting.side, setting.n_patches
    n_pixels, shapes = side * side, setting.shapes
    if patches.shape == (n_pixels, n_patches):
        return "examples-in-columns"
    if patches.shape == (n_patches, side, side):
        return "squares"
    if patches.shape != (n_patches, n_pixels):
        raise Trouble(
            "wrong-shape",
            f"The result has shape {patches.shape}; with these arguments it must be "
            f"({n_patches}, {n_pixels}).",
            "One row per patch, one column per pixel of the patch.",
        )
    image, rest = np.divmod(patches - _CODE**2, _CODE**2)
    row, column = np.divmod(rest, _CODE)
    row, column = row - 1, column - 1
    heights = np.array([shape[0] for shape in shapes])
    widths = np.array([shape[1] for shape in shapes])
    known = (image >= 0) & (image < len(shapes)) & (image == np.round(image))
    index = np.where(known, image, 0).astype(int)
    known &= (row >= 0) & (row < heights[index]) & (column >= 0) & (column < widths[index])
    known &= column == np.round(column)
    if not known.all():
        return "values-changed"
    if (image != image[:, :1]).any():
        return "image-redrawn-per-pixel"
    down, right = np.divmod(np.arange(n_pixels), side)
    row0, column0 = row - row.min(axis=1, keepdims=True), column - column.min(axis=1, keepdims=True)
    if (row0 == right).all() and (column0 == down).all():
        return "columns-first"
    if (row0 != down).any() or (column0 != right).any():
        turned = (row0.max(axis=1) == side - 1) & (column0.max(axis=1) == side - 1)
        alike = (row0 == row0[0]).all() and (column0 == column0[0]).all()
        straight = len(set(zip(row0[0], column0[0], strict=True))) == n_pixels
        return "turned" if turned.all() and alike and straight else "position-redrawn-per-pixel"
    if not setting.reaches_every_place:
        return None
    return _coverage_mistake(image[:, 0], row[:, 0], column[:, 0], draws, setting)


def _coverage_mistake(
    image: Any, row: Any, column: Any, draws: list[Any], setting: _Setting
) -> str | None:
    shapes = setting.shapes
    counts = np.array([np.sum(image == k) for k in range(len(shapes))])
    if (draws[0] == draws[0][0]).all():
        return "same-patch"
    if np.count_nonzero(counts) == 1:
        return "one-image"
    if counts[-1] == 0:
        return "last-image-missing"
    if (row == column).all():
        return "row-equals-column"
    if (counts == 0).any():
        return "images-missing"
    mistake = _place_mistake(image, row, column, setting)
    if mistake:
        return mistake
    # The counts are binomial; seven standard deviations never happen by chance.
    share = 1 / len(shapes)
    spread = np.sqrt(setting.n_patches * share * (1 - share))
    if np.abs(counts - setting.n_patches * share).max() > 7 * spread:
        return "images-unequal"
    return None


def _seed_mistake(draws: list[Any]) -> str | None:
    if not np.array_equal(draws[0], draws[1]):
        return "seed-ignored"
    if np.array_equal(draws[0], draws[2]):
        return "seed-fixed"
    return None


def _place_mistake(image: Any, row: Any, column: Any, setting: _Setting) -> str | None:
    """Return what is wrong with the places inside the images."""
    shapes, side = setting.shapes, setting.side
    square = next(k for k, (height, width) in enumerate(shapes) if height == width)
    ends, starts, corners, holes = [], [], [], []
    for k, (height, width) in enumerate(shapes):
        rows, columns = row[image == k], column[image == k]
        last = height - side, width - side
        ends.append(rows.max() < last[0] or columns.max() < last[1])
        starts.append(rows.min() > 0 or columns.min() > 0)
        at_ends = np.isin(rows, (0, last[0])).all() and np.isin(columns, (0, last[1])).all()
        corners.append(at_ends and max(last) > 1)
        places = np.zeros((last[0] + 1, last[1] + 1), dtype=int)
        np.add.at(places, (rows.astype(int), columns.astype(int)), 1)
        # Each place can expect some dozens of draws; a fifth of its share is not bad luck.
        holes.append(places.min() < rows.size / places.size / 5)
    if any(corners):
        return "corners-only"
    if (row[image == square] == column[image == square]).all():
        return "row-follows-column"
    if side > 2 and ((row % 2 == 0).all() or (column % 2 == 0).all()):
        return "every-second-place"
    if any(starts):
        return "first-position-missing"
    if any(ends):
        return "last-position-missing"
    return "places-unequal" if any(holes) else None


SAMPLER = Exercise(
    name="sample_patches",
    signature="sample_patches(images, n_patches, patch_size, seed)",
    chapter="chapter 6",
    cases=lambda rng: _sampler_cases(int(rng.integers(10_000, 20_000))),
    steps=(),
    mistakes=SAMPLING_MISTAKES,
    judge=_samples_rightly,
)
