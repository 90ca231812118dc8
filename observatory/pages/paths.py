"""Where the pages are. Sessions, forms and pages of errors exist below these paths and nowhere else."""

ROOT = "/app"


def is_page(path: str) -> bool:
    """Return whether `path` is one of the pages."""
    return path == ROOT or path.startswith(f"{ROOT}/")
