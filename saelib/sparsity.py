"""The sparsity penalty: how far the mean activation of a unit is from the one we ask for.

The target rho and the measured mean rho_hat are read as the means of two Bernoulli
variables, and the penalty is the Kullback-Leibler divergence between the two.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import rel_entr

from saelib._validation import activation_named, plain_array

__all__ = ["kl_divergence", "kl_gradient", "mean_activation"]

Array = NDArray[np.floating[Any]]


def _check(rho: ArrayLike, rho_hat: ArrayLike) -> tuple[Array, Array]:
    target = plain_array("rho", rho, np.float64)
    mean = plain_array("rho_hat", rho_hat, np.float64)
    if not np.all((target > 0) & (target < 1)):
        raise ValueError(
            f"rho is {rho!r}; a sparsity target is a probability strictly between 0 and 1, "
            "such as 0.05"
        )
    if not np.all((mean >= 0) & (mean <= 1)):
        outside = mean[~((mean >= 0) & (mean <= 1))].flat[0]
        raise ValueError(
            f"rho_hat holds {outside:.6g}; mean activations lie in [0, 1]. For tanh units, whose "
            'activations lie in [-1, 1], use mean_activation(A, activation="tanh")'
        )
    return target, mean


def kl_divergence(rho: ArrayLike, rho_hat: ArrayLike) -> Any:
    """Return KL(rho ‖ rho_hat) between two Bernoulli variables, elementwise, in nats.

    Eq. (4.1) ``kl-bernoulli``, CS294A p. 15::

        KL = rho log(rho / rho_hat) + (1 - rho) log((1 - rho) / (1 - rho_hat))

    Parameters
    ----------
    rho : float or array_like, in (0, 1)
        Target mean activation.
    rho_hat : float or array_like, in [0, 1]
        Measured mean activations, of any shape that broadcasts with `rho`.

    Returns
    -------
    float or ndarray
        The divergence, at least 0; it is 0 where ``rho_hat == rho`` and infinite where
        ``rho_hat`` is 0 or 1.

    Raises
    ------
    ValueError
        If `rho` is not in (0, 1) or `rho_hat` is not in [0, 1].

    Examples
    --------
    >>> from saelib.sparsity import kl_divergence
    >>> kl_divergence(0.2, [0.0, 0.1, 0.2, 0.5]).round(4)
    array([   inf, 0.0444, 0.    , 0.1927])
    """
    return divergence(*_check(rho, rho_hat))[()]


def divergence(target: Any, mean: Array) -> Array:
    """Return what `kl_divergence` returns, without looking at the arguments first."""
    # The two terms nearly cancel close to the minimum; rounding must not make their sum negative.
    return np.maximum(rel_entr(target, mean) + rel_entr(1 - target, 1 - mean), 0.0)


def kl_gradient(rho: ArrayLike, rho_hat: ArrayLike) -> Any:
    """Return the derivative of KL(rho ‖ rho_hat) with respect to rho_hat, elementwise.

    Eq. (4.2) ``kl-gradient``, CS294A p. 16::

        d KL / d rho_hat = -rho / rho_hat + (1 - rho) / (1 - rho_hat)

    Parameters
    ----------
    rho : float or array_like, in (0, 1)
        Target mean activation.
    rho_hat : float or array_like, in [0, 1]
        Measured mean activations, of any shape that broadcasts with `rho`.

    Returns
    -------
    float or ndarray
        The slope: negative below `rho`, 0 at `rho`, positive above, infinite at 0 and 1.

    Raises
    ------
    ValueError
        If `rho` is not in (0, 1) or `rho_hat` is not in [0, 1].

    Examples
    --------
    >>> from saelib.sparsity import kl_gradient
    >>> kl_gradient(0.2, [0.1, 0.2, 0.5]).round(4)
    array([-1.1111,  0.    ,  1.2   ])
    """
    target, mean = _check(rho, rho_hat)
    with np.errstate(divide="ignore"):
        return divergence_slope(target, mean)[()]


def divergence_slope(target: Any, mean: Array) -> Array:
    """Return what `kl_gradient` returns, without looking at the arguments first."""
    return (1 - target) / (1 - mean) - target / mean


def mean_activation(A: ArrayLike, activation: str = "sigmoid") -> Array:
    """Return the mean activation of every hidden unit, on the scale from 0 to 1.

    Eq. (3.1) ``mean-activation``, CS294A p. 14, for the sigmoid; a tanh unit is inactive at
    -1, so its activations are mapped from [-1, 1] to [0, 1] first, Eq. (3.2)
    ``mean-activation-tanh``.

    Parameters
    ----------
    A : array_like of shape (n_samples, n_hidden)
        Activations in [0, 1] (sigmoid) or [-1, 1] (tanh).
    activation : {"sigmoid", "tanh"}
        The activation function of the hidden units.

    Returns
    -------
    ndarray of shape (n_hidden,)
        rho_hat, each entry in [0, 1].

    Raises
    ------
    ValueError
        If `A` is not 2-D, has no rows, is masked or has values outside the range of the
        activation, or if `activation` is neither of the two.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.sparsity import mean_activation
    >>> mean_activation(np.array([[0.0, 1.0], [0.5, 1.0]]))
    array([0.25, 1.  ])
    >>> mean_activation(np.array([[-1.0, 1.0], [0.0, 1.0]]), activation="tanh")
    array([0.25, 1.  ])
    """
    f = activation_named("activation", activation, ("sigmoid", "tanh"))
    activations = plain_array("A", A)
    if activations.ndim != 2 or len(activations) == 0:
        raise ValueError(
            f"A has shape {activations.shape}; give activations of shape (n_samples, n_hidden) "
            "with at least one row"
        )
    low, high = activations.min(), activations.max()
    if not (low >= f.low and high <= f.high):
        raise ValueError(
            f"A holds values from {low:.6g} to {high:.6g}, but {f.name} activations lie in "
            f"[{f.low:g}, {f.high:g}]; check activation, which is {activation!r}, and that A "
            "holds activations and not weighted inputs"
        )
    return f.share_of_range(activations.mean(axis=0, dtype=np.float64))
