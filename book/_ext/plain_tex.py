"""Equations as a line of text: for the search, which shows them and finds them by their letters."""

from __future__ import annotations

import re

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε",
    "zeta": "ζ", "eta": "η", "theta": "θ", "vartheta": "ϑ", "iota": "ι", "kappa": "κ",
    "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "upsilon": "υ", "phi": "φ", "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ",
    "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
SIGNS = {
    "sum": "∑ ", "prod": "∏", "int": "∫", "partial": "∂", "nabla": "∇", "infty": "∞", "pm": "±",
    "cdot": "·", "cdots": "…", "dots": "…", "ldots": "…", "times": "×", "circ": "∘", "le": "≤",
    "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠", "approx": "≈", "sim": "∼",
    "propto": "∝", "in": "∈", "to": "→", "rightarrow": "→", "leftarrow": "←", "mapsto": "↦",
    "Rightarrow": "⇒", "top": "ᵀ", "Vert": "‖", "lVert": "‖", "rVert": "‖", "mid": "|",
    "ll": "≪", "gg": "≫", "quad": " ", "qquad": " ", "bullet": "•", "prime": "′",
}  # fmt: skip
NAMES = ("log", "exp", "ln", "sin", "cos", "tanh", "min", "max", "arg", "Pr", "det", "lim")
MARKS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "vec": "\u20d7"}
RAISED = str.maketrans("0123456789()+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾⁺⁻")
GROUP = r"\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"


def plain(tex: str) -> str:
    r"""Return an equation as text.

    >>> plain(r"\frac{\lambda}{2} \lVert W^{(1)} \rVert^2")
    'λ/2‖W⁽¹⁾‖²'
    >>> plain(r"\hat\rho_j = \frac1m \sum_i a_{ij}")
    'ρ̂_j = 1/m ∑ a_ij'
    """
    text = re.sub(r"\\(?:begin|end)\{\w+\*?\}(?:\[[^\]]*\])?|\\\\(?:\[[^\]]*\])?|&", " ", tex)
    text = re.sub(r"\\(?:text|math[a-z]+|operatorname)\*?\s*" + GROUP, r"\1", text)
    text = re.sub(r"\\(?:[bB]igg?[lrm]?|left|right|displaystyle|limits)(?![A-Za-z])", "", text)
    limit = rf"(?:\s*[_^]\s*(?:{GROUP.replace('((?:', '(?:(?:')}|\w))*"
    text = re.sub(rf"\\sum{limit}", r"\\sum", text)
    for name, sign in {**GREEK, **SIGNS}.items():
        text = re.sub(rf"\\{name}(?![A-Za-z])\s?", sign, text)
    for name, mark in MARKS.items():
        text = re.sub(rf"\\(?:wide)?{name}\s*(?:\{{\s*(\w)\s*\}}|(\w))", rf"\1\2{mark}", text)
    text = re.sub(r"\^\s*(?:\{\s*([\d()+-]+)\s*\}|(\d))", _raised, text)
    for _ in range(4):  # fractions within fractions
        text = re.sub(r"\\[dt]?frac\s*" + GROUP + r"\s*" + GROUP, _fraction, text)
    text = re.sub(r"\\[dt]?frac\s*(\w)\s*(\w)", r"\1/\2", text)
    text = re.sub(r"\\sqrt\s*" + GROUP, r"√(\1)", text)
    text = re.sub(r"\^\s*" + GROUP, _exponent, text)
    text = re.sub(rf"\\({'|'.join(NAMES)})(?![A-Za-z])", r" \1 ", text)
    text = re.sub(r"\\[|]", "‖", text)
    text = re.sub(r"\\[{}]", "", text)
    text = re.sub(r"\\([%&#_$])", r"\1", text)
    text = re.sub(r"\\[a-zA-Z]+|\\.", " ", text)
    text = re.sub(r"[{}~]", "", text)
    text = re.sub(r"([=+≈≤≥←→∘·×])", r" \1 ", text)
    text = re.sub(r"([(\[‖])\s+(?=[^\s=+≈-])", r"\1", re.sub(r"\s+", " ", text))
    return re.sub(r"\s+([,.)\]‖ᵀ⁽²])", r"\1", text).strip()


def _raised(match: re.Match[str]) -> str:
    return (match[1] or match[2]).translate(RAISED)


def _exponent(match: re.Match[str]) -> str:
    inner = match[1].strip()
    if inner == "ᵀ" or re.fullmatch(r"\(.*\)", inner):
        return inner if inner == "ᵀ" else f"^{inner}"
    return f"^{inner}" if len(inner) == 1 else f"^({inner})"


def _fraction(match: re.Match[str]) -> str:
    above, below = (_bracketed(part.strip()) for part in match.groups())
    return f"{above}/{below}"


def _bracketed(part: str) -> str:
    return f"({part})" if re.search(r"(?<=\S)\s*[-+ ]\s*(?=\S)|√", part) else part
