"""Every path that the live process answers."""

from django.urls import path

from observatory import health
from observatory.live.views import EventsView, WebSocketView

handler400 = "errors.views.bad_request"
handler403 = "errors.views.permission_denied"
handler404 = "errors.views.not_found"
handler500 = "errors.views.server_error"

urlpatterns = [
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("ws", WebSocketView.as_view()),
    path("api/v1/ws", WebSocketView.as_view()),
    path("api/v1/events", EventsView.as_view()),
]
