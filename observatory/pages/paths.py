"""Where pages for people are. Sessions, forms and pages of errors exist below these paths and nowhere else."""

ROOT = "/app"
ADMIN = "/admin/"


def is_page(path: str) -> bool:
    """Return whether `path` is one of the pages."""
    return path == ROOT or path.startswith(f"{ROOT}/")


def is_admin(path: str) -> bool:
    """Return whether `path` is one of the administration."""
    return path.startswith(ADMIN)


def is_for_people(path: str) -> bool:
    """Return whether browsers of people ask for `path`: there are sessions and pages of errors below it."""
    return is_page(path) or is_admin(path)
