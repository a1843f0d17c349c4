"""The public address of the repository, in the one form from which all links derive.

People copy it as their tools give it to them: with `.git` at the end, as `git@host:owner/name`, or
without `https://`. All of these mean the same page.
"""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

HOSTS = ("github", "gitlab", "bitbucket")  # whose links to files and issues are known
EXAMPLE = "https://github.com/owner/name"


def public_address(text: str) -> str:
    """Return the address as `https://host/owner/name`, or an empty string for an empty one.

    Raises
    ------
    ValueError
        If it is not the address of a repository on one of the known hosts.

    Examples
    --------
    >>> public_address("git@github.com:someone/book.git")
    'https://github.com/someone/book'
    """
    address = text.strip()
    if not address:
        return ""
    address = re.sub(r"^(?:ssh://)?git@([^:/]+)[:/]", r"https://\1/", address)
    address = address if "://" in address else f"https://{address}"
    address = re.sub(r"(?:\.git)?/*$", "", address)
    parts = urlsplit(address)
    host, path = parts.hostname or "", parts.path.strip("/")
    fits = re.fullmatch(r"[\w.-]+(?:/[\w.-]+)+", path) and (
        path.count("/") == 1 or "gitlab" in host
    )
    known = any(name in host.split(".") for name in HOSTS)
    plain = parts.scheme in ("http", "https") and not (parts.query or parts.fragment or parts.port)
    if not (fits and known and plain) or "/-/" in path:
        raise ValueError(
            f"the public address of the repository is {text!r}; it must be like {EXAMPLE}, on "
            f"{', '.join(HOSTS[:-1])} or {HOSTS[-1]}: change SAELIB_REPOSITORY in the environment, "
            "or repository: url: in _config.yml"
        )
    return f"https://{host}/{path}"


def site_address(repository: str) -> str:
    """Return where the site is published, ending in a slash, or an empty string if not known.

    SAELIB_SITE_ADDRESS in the environment wins; else it is where GitHub Pages publishes.

    Examples
    --------
    >>> site_address("https://github.com/someone/book")
    'https://someone.github.io/book/'
    """
    wanted = os.environ.get("SAELIB_SITE_ADDRESS", "").strip()
    if wanted:
        return wanted.rstrip("/") + "/"
    match = re.fullmatch(r"https://github\.com/([\w.-]+)/([\w.-]+)", repository)
    if not match:
        return ""
    owner, name = match[1].lower(), match[2]
    root = f"https://{owner}.github.io/"
    return root if name.lower() == f"{owner}.github.io" else f"{root}{name}/"
