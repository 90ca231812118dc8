"""The cached routes, found where they are served."""

from collections.abc import Mapping

from django.urls import get_resolver

from analytics.api.caching.views import CachedView


def cached_routes() -> Mapping[str, type[CachedView]]:
    """Return route -> view of every cached route; an alias is the same route."""
    patterns = get_resolver("analytics.api.urls").url_patterns
    views = (getattr(pattern.callback, "cls", None) for pattern in patterns)
    cached = [view for view in views if isinstance(view, type) and issubclass(view, CachedView)]
    return {view.route: view for view in sorted(cached, key=lambda view: view.route)}
