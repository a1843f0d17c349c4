"""Tell the archives the public address of the project, where it is known; see _config.yml."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class Addresses(MetadataHookInterface):  # type: ignore[misc]
    """Fill in the project's links; no address, no links."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the links that derive from the address of the repository and of the site."""
        config = Path(self.root) / "_config.yml"
        text = config.read_text(encoding="utf-8") if config.exists() else ""
        written = re.search(r'^repository:(?:\n\s+.*)*?\n\s+url:\s*"?([^"\s#]*)', text, re.M)
        repository = os.environ.get("SAELIB_REPOSITORY") or (written[1] if written else "")
        repository = repository.rstrip("/").removesuffix(".git")
        site = os.environ.get("SAELIB_SITE_ADDRESS", "")
        links = {
            "Source": repository,
            "Issues": repository and f"{repository}/issues",
            "Changelog": repository and f"{repository}/blob/main/CHANGELOG.md",
            "Book": site,
        }
        metadata["urls"] = {name: link for name, link in links.items() if link}
