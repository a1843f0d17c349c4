"""The weights and biases of an autoencoder, and the flat vector that optimizers work on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saelib._validation import float_array, whole_number

__all__ = ["Parameters"]

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Parameters:
    """Weights and biases of a network with one hidden layer, input size equal to output size.

    The flat vector theta holds W1, W2, b1, b2 in this order, each row by row, as in the
    CS294A assignment. Gradients have the same shape, so they are kept in the same class. Arrays
    are kept as they are, lists become float64 arrays.

    Attributes
    ----------
    W1 : ndarray of shape (n_hidden, n_features)
        Weights from the input to the hidden layer; row i is what hidden unit i looks at.
    W2 : ndarray of shape (n_features, n_hidden)
        Weights from the hidden layer to the output.
    b1 : ndarray of shape (n_hidden,)
        Biases of the hidden units.
    b2 : ndarray of shape (n_features,)
        Biases of the output units.

    Raises
    ------
    ValueError, TypeError
        If the four shapes do not belong to one network, or a list holds something else than
        numbers.

    Examples
    --------
    >>> from saelib import Parameters
    >>> parameters = Parameters.random(n_features=64, n_hidden=25, seed=0)
    >>> parameters.W1.shape, parameters.ravel().shape
    ((25, 64), (3289,))
    """

    W1: Array
    W2: Array
    b1: Array
    b2: Array

    def __post_init__(self) -> None:
        for name in ("W1", "W2", "b1", "b2"):
            values = getattr(self, name)
            if not hasattr(values, "shape"):
                advice = "give an array, or a list with a row of numbers for every unit"
                array = float_array(name, values, "biuf", advice).astype(np.float64, copy=False)
                object.__setattr__(self, name, array)
        shapes = {name: np.shape(getattr(self, name)) for name in ("W1", "W2", "b1", "b2")}
        n_hidden, n_features = shapes["W1"] if len(shapes["W1"]) == 2 else (-1, -1)
        expected = {
            "W1": (n_hidden, n_features),
            "W2": (n_features, n_hidden),
            "b1": (n_hidden,),
            "b2": (n_features,),
        }
        if shapes != expected:
            found = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
            raise ValueError(
                f"the shapes {found} do not belong together; give W1 (n_hidden, n_features), "
                "W2 (n_features, n_hidden), b1 (n_hidden,), b2 (n_features,)"
            )

    @property
    def n_features(self) -> int:
        """Number of inputs, which is also the number of outputs."""
        return int(self.W1.shape[1])

    @property
    def n_hidden(self) -> int:
        """Number of hidden units."""
        return int(self.W1.shape[0])

    def ravel(self) -> Array:
        """Return the flat vector theta: W1, W2, b1, b2, each row by row.

        Returns
        -------
        ndarray of shape (2 * n_hidden * n_features + n_hidden + n_features,)
            A new array.

        Examples
        --------
        >>> import numpy as np
        >>> from saelib import Parameters
        >>> W = np.array([[1.0, 2.0]])
        >>> Parameters(W1=W, W2=W.T, b1=np.array([5.0]), b2=np.array([6.0, 7.0])).ravel()
        array([1., 2., 1., 2., 5., 6., 7.])
        """
        return np.concatenate([np.ravel(part) for part in (self.W1, self.W2, self.b1, self.b2)])

    @staticmethod
    def unravel(theta: ArrayLike, n_features: int, n_hidden: int) -> Parameters:
        """Return the parameters that the flat vector `theta` holds, without copying it.

        Parameters
        ----------
        theta : array_like of shape (2 * n_hidden * n_features + n_hidden + n_features,)
            W1, W2, b1, b2, each row by row.
        n_features : int, at least 1
            Number of inputs.
        n_hidden : int, at least 1
            Number of hidden units.

        Returns
        -------
        parameters : Parameters
            Views of `theta`: changing one changes the other.

        Raises
        ------
        ValueError
            If `theta` does not have the length that the two sizes ask for.

        Examples
        --------
        >>> import numpy as np
        >>> from saelib import Parameters
        >>> Parameters.unravel(np.arange(7.0), n_features=2, n_hidden=1).W2
        array([[2.],
               [3.]])
        """
        n_features = whole_number("n_features", n_features, low=1)
        n_hidden = whole_number("n_hidden", n_hidden, low=1)
        theta = np.asarray(theta)
        n_weights = n_hidden * n_features
        size = 2 * n_weights + n_hidden + n_features
        if theta.shape != (size,):
            raise ValueError(
                f"theta has shape {theta.shape}; n_features={n_features} and n_hidden={n_hidden} "
                f"need shape ({size},): W1, W2, b1, b2 one after the other, as Parameters.ravel "
                "returns them"
            )
        biases = theta[2 * n_weights :]
        return Parameters(
            W1=theta[:n_weights].reshape(n_hidden, n_features),
            W2=theta[n_weights : 2 * n_weights].reshape(n_features, n_hidden),
            b1=biases[:n_hidden],
            b2=biases[n_hidden:],
        )

    @staticmethod
    def random(n_features: int, n_hidden: int, seed: int | np.random.Generator) -> Parameters:
        """Return random weights to start the training from; the biases are 0.

        Eq. (6.3) ``initial-weights``, CS294A starter code and Glorot & Bengio (2010): uniform
        in [-r, r] with r = sqrt(6 / (n_features + n_hidden + 1)). Different weights break the
        symmetry between the hidden units, and small ones keep them away from saturation.

        Parameters
        ----------
        n_features : int, at least 1
            Number of inputs.
        n_hidden : int, at least 1
            Number of hidden units.
        seed : int or numpy.random.Generator
            Source of the random numbers; the same int gives the same weights.

        Returns
        -------
        parameters : Parameters
            float64 arrays.

        Examples
        --------
        >>> from saelib import Parameters
        >>> parameters = Parameters.random(n_features=2, n_hidden=1, seed=0)
        >>> bool(abs(parameters.W1).max() < (6 / 4) ** 0.5)
        True
        """
        n_features = whole_number("n_features", n_features, low=1)
        n_hidden = whole_number("n_hidden", n_hidden, low=1)
        rng = np.random.default_rng(seed)
        r = np.sqrt(6.0 / (n_features + n_hidden + 1))
        return Parameters(
            W1=rng.uniform(-r, r, size=(n_hidden, n_features)),
            W2=rng.uniform(-r, r, size=(n_features, n_hidden)),
            b1=np.zeros(n_hidden),
            b2=np.zeros(n_features),
        )
