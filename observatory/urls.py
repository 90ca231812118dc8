"""Every path the service answers."""

from django.contrib import admin
from django.urls import include, path

from analytics.api.urls import otlp
from observatory import health, manual, prometheus
from observatory.accounts import views as accounts
from observatory.accounts.api.urls import urlpatterns as managed
from observatory.docs import docs, schema
from observatory.live.redirects import EventsElsewhereView, WebSocketAliasView, WebSocketElsewhereView
from observatory.routing import remembered

_documents = [
    path("schema", schema, name="schema"),
    path("docs", docs, name="docs"),
]

handler400 = "errors.views.bad_request"
handler403 = "errors.views.permission_denied"
handler404 = "errors.views.not_found"
handler500 = "errors.views.server_error"

urlpatterns = remembered(
    [
        path("health", health.health),
        path("health/live", health.live),
        path("health/ready", health.ready),
        path("metrics", prometheus.prometheus),
        path("auth/token", accounts.TokenView.as_view()),
        path("auth/refresh", accounts.RefreshView.as_view()),
        path("auth/revoke", accounts.RevokeView.as_view()),
        *otlp,
        path("ws", WebSocketElsewhereView.as_view()),
        path("api/v1/ws", WebSocketAliasView.as_view()),
        path("api/v1/events", EventsElsewhereView.as_view()),
        path("api/v1/", include([*_documents, *managed, path("", include("analytics.api.urls"))])),
        path("api/schema", schema),
        path("api/docs", docs),
        path("", include("errors.urls")),
        path("admin/", admin.site.urls),
        path("app", include("observatory.pages.urls")),
        path("docs", manual.index, name="manual"),
        path("docs/", manual.index),
        path("docs/<path:place>", manual.page, name="manual-page"),
    ]
)
