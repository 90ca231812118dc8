"""Pages of the administration that take several apps: only the project knows all sides.

Django finds the package by its name. Each module registers what it shows; pages that no table stands behind are rows of
`PAGES` in `pages.py`.
"""

from observatory.admin import alerts, exports, pages, prices, rejected  # noqa: F401  they register their pages
