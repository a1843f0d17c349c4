"""From the weighted inputs of the hidden units to a sparse code: what each method changes.

Every method of the thread from `J_sparse` onwards has the same network and the same
backpropagation, Eq. (12.4) ``bracket-and-slope``. It differs in how the code is made of the
weighted inputs, and so in two entries of one formula: the slope of the code, and what the
sparsity penalty adds inside the bracket. A rule, called with the weighted inputs of a batch,
returns both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saelib._validation import real_number, whole_number
from saelib.activations import sigmoid
from saelib.parameters import Parameters
from saelib.sparsity import divergence, divergence_slope

__all__ = [
    "BatchTopK",
    "Code",
    "KLSigmoid",
    "L1ReLU",
    "LearningRule",
    "Lesson",
    "Rule",
    "Threshold",
    "TopK",
    "kept",
]

Array = NDArray[np.floating[Any]]


class Code(NamedTuple):
    """The code of a batch, and what backpropagation has to know of how it was made.

    Attributes
    ----------
    A : ndarray of shape (n_samples, n_hidden)
        Activations.
    slope : ndarray of shape (n_samples, n_hidden)
        Derivative of each activation by its own weighted input.
    penalty : float
        The sparsity penalty, with its weight; it is added to the cost.
    bracket : float or ndarray that broadcasts with `A`
        ``n_samples`` times the derivative of `penalty` with respect to an activation.
    """

    A: Array
    slope: Array
    penalty: float
    bracket: Array | float


class Rule(Protocol):
    """What makes a `Code` of weighted inputs of shape (n_samples, n_hidden)."""

    def __call__(self, Z: Array) -> Code:
        """Return the code of a batch."""
        ...


class Lesson(NamedTuple):
    """What a rule with numbers of its own learns from a batch.

    Attributes
    ----------
    own : ndarray of shape (n_own,)
        The gradient by its own numbers.
    delta2 : ndarray of shape (n_samples, n_hidden), or float
        What is added to the error term of the hidden layer.
    penalty : float
        What is added to the cost.
    """

    own: Array
    delta2: Array | float = 0.0
    penalty: float = 0.0


@runtime_checkable
class LearningRule(Protocol):
    """A rule that has numbers of its own, which are trained with the weights."""

    def __call__(self, Z: Array) -> Code:
        """Return the code of a batch."""
        ...

    def own_numbers(self, n_hidden: int) -> Array:
        """Return its numbers, free of any bounds, as one vector."""
        ...

    def with_own_numbers(self, own: Array) -> LearningRule:
        """Return the rule with other numbers."""
        ...

    def learn(self, X: Array, parameters: Parameters, Z: Array, back: Array) -> Lesson:
        """Return gradients; `back` holds the derivatives of the squared error by activations."""
        ...


@dataclass(frozen=True)
class KLSigmoid:
    """The rule of `J_sparse`: sigmoid units, whose mean activation should be `sparsity_target`.

    The bracket is that of Eq. (5.1) ``delta-hidden-sparse``. No activation is ever exactly 0.

    Parameters
    ----------
    sparsity_target : float in (0, 1)
        The mean activation wanted of every unit, rho.
    sparsity_weight : float, at least 0
        Weight of the penalty, beta.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.codes import KLSigmoid
    >>> code = KLSigmoid(sparsity_target=0.2, sparsity_weight=1.0)(np.array([[0.0], [0.0]]))
    >>> code.A.ravel(), code.slope.ravel(), code.bracket.round(6)
    (array([0.5, 0.5]), array([0.25, 0.25]), array([1.2]))
    """

    sparsity_target: float
    sparsity_weight: float

    def __post_init__(self) -> None:
        real_number("sparsity_target", self.sparsity_target, low=0.0, high=1.0, open_ends=True)
        real_number("sparsity_weight", self.sparsity_weight, low=0.0)

    def __call__(self, Z: Array) -> Code:
        """Return the code of a batch."""
        A = sigmoid(Z)
        # In float32 a unit that is always on would have the mean 1, where the penalty is infinite.
        rho_hat = np.clip(A.mean(axis=0, dtype=np.float64), 1e-12, 1 - 1e-12)
        penalty = self.sparsity_weight * float(np.sum(divergence(self.sparsity_target, rho_hat)))
        bracket = self.sparsity_weight * divergence_slope(self.sparsity_target, rho_hat)
        return Code(A, A * (1 - A), penalty, bracket.astype(A.dtype))


@dataclass(frozen=True)
class L1ReLU:
    """Rectified units with a price on the sum of their activations, Eq. (12.5) ``l1-penalty``.

    Parameters
    ----------
    sparsity_weight : float, at least 0
        Price of one unit of activation, beta.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.codes import L1ReLU
    >>> code = L1ReLU(sparsity_weight=0.1)(np.array([[-1.0, 2.0], [3.0, 0.5]]))
    >>> code.slope
    array([[0., 1.],
           [1., 1.]])
    >>> round(code.penalty, 6), code.bracket  # a mean over the two examples
    (0.275, 0.1)
    """

    sparsity_weight: float

    def __post_init__(self) -> None:
        real_number("sparsity_weight", self.sparsity_weight, low=0.0)

    def __call__(self, Z: Array) -> Code:
        """Return the code of a batch."""
        A = np.maximum(Z, 0)
        penalty = self.sparsity_weight * float(A.sum(dtype=np.float64)) / len(Z)
        return Code(A, (Z > 0).astype(Z.dtype), penalty, self.sparsity_weight)


@dataclass(frozen=True)
class TopK:
    """Only the k largest weighted inputs of each example stay, if positive: Eq. (13.2) ``top-k``.

    Parameters
    ----------
    k : int, at least 1
        Units that each example may use. Of equal ones at the edge all stay.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.codes import TopK
    >>> TopK(2)(np.array([[0.3, 2.0, 1.0], [-1.0, 0.5, -2.0]])).A
    array([[0. , 2. , 1. ],
           [0. , 0.5, 0. ]])
    """

    k: int

    def __post_init__(self) -> None:
        whole_number("k", self.k, low=1)

    def __call__(self, Z: Array) -> Code:
        """Return the code of a batch."""
        return kept(Z, (self._least(Z) <= Z) & (Z > 0))

    def _least(self, Z: Array) -> Array:
        """Return, as a column, the k-th largest number of every row."""
        k = whole_number("k", self.k, low=1, high=Z.shape[1])
        return np.partition(Z, -k, axis=1)[:, -k, None]


@dataclass(frozen=True)
class BatchTopK:
    """The k largest per example on average: the largest of the whole batch stay.

    Eq. (13.3) ``batch-top-k``. One example alone has no batch to compete in; there the constant
    `threshold` takes the batch's place.

    Parameters
    ----------
    k : float, greater than 0
        Units that an example may use on average.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.codes import BatchTopK
    >>> Z = np.array([[3.0, 2.0, 1.5], [1.0, 0.5, -2.0]])
    >>> BatchTopK(1.5)(Z).A
    array([[3. , 2. , 1.5],
           [0. , 0. , 0. ]])
    >>> BatchTopK(1.5).threshold(Z)
    Threshold(threshold=1.5)
    """

    k: float

    def __post_init__(self) -> None:
        real_number("k", self.k, low=0.0, open_ends=True)

    def _n_kept(self, Z: Array) -> int:
        n_kept = round(self.k * len(Z))
        if not 1 <= n_kept <= Z.size:
            raise ValueError(
                f"k is {self.k}, which keeps {n_kept} of the {Z.size} activations of the batch; "
                "keep at least one and at most all"
            )
        return n_kept

    def _least(self, Z: Array) -> float:
        place = Z.size - self._n_kept(Z)
        return float(np.partition(Z, place, axis=None)[place])

    def __call__(self, Z: Array) -> Code:
        """Return the code of a batch."""
        return kept(Z, (self._least(Z) <= Z) & (Z > 0))

    def threshold(self, Z: ArrayLike) -> Threshold:
        """Return the rule for use: a constant threshold, the least that stays in `Z`.

        Parameters
        ----------
        Z : array_like of shape (n_samples, n_hidden)
            Weighted inputs of as many examples as possible.

        Returns
        -------
        Threshold
            A rule that needs no batch.
        """
        return Threshold(max(self._least(np.asarray(Z)), 0.0))


@dataclass(frozen=True)
class Threshold:
    """A weighted input stays as it is if it reaches a threshold, otherwise the code is 0.

    Eq. (13.1) ``hard-threshold``.

    Parameters
    ----------
    threshold : float, at least 0
        The least activation.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.codes import Threshold
    >>> Threshold(1.0)(np.array([[-3.0, 0.9, 1.0, 2.5]])).A
    array([[0. , 0. , 1. , 2.5]])
    """

    threshold: float

    def __post_init__(self) -> None:
        real_number("threshold", self.threshold, low=0.0)

    def __call__(self, Z: Array) -> Code:
        """Return the code of a batch."""
        return kept(Z, (self.threshold <= Z) & (Z > 0))


def kept(Z: Array, mask: NDArray[np.bool_]) -> Code:
    """Return the code in which the weighted inputs under a mask stay as they are, without a price.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, n_hidden)
        Weighted inputs.
    mask : ndarray of bool, of the shape of `Z`
        Which of them stay.

    Returns
    -------
    Code
        Its slope is the mask, its bracket 0.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.codes import kept
    >>> Z = np.array([[1.0, 2.0]])
    >>> kept(Z, Z > 1.5).A
    array([[0., 2.]])
    """
    return Code(np.where(mask, Z, Z.dtype.type(0)), mask.astype(Z.dtype), 0.0, 0.0)
