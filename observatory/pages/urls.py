"""Paths of the pages."""

from django.urls import path

from observatory.pages import exporting, live, signing_in, tracing, views

app_name = "pages"
urlpatterns = [
    path("", views.home, name="home"),
    path("/sign-in", signing_in.sign_in, name="sign-in"),
    path("/sign-out", signing_in.sign_out, name="sign-out"),
    path("/public", views.public, name="public"),
    path("/public/<slug:panel>.csv", views.public_file, name="public-file"),
    path("/o/<slug:organisation>", views.entrance, name="entrance"),
    path("/o/<slug:organisation>/traces", tracing.traces, name="traces"),
    path("/o/<slug:organisation>/traces.csv", tracing.traces_file, name="traces-file"),
    path("/o/<slug:organisation>/traces/ticket", live.ticket, name="ticket"),
    path("/o/<slug:organisation>/traces/worst", tracing.worst, name="worst"),
    path("/o/<slug:organisation>/traces/<str:trace_id>", tracing.trace, name="trace"),
    path("/o/<slug:organisation>/exports", exporting.exports, name="exports"),
    path("/o/<slug:organisation>/exports/<str:job_id>/file", exporting.export_file, name="export-file"),
    path("/o/<slug:organisation>/values/<slug:label>", views.values, name="values"),
    path("/o/<slug:organisation>/<slug:page>", views.page, name="page"),
    path("/o/<slug:organisation>/<slug:page>/<slug:panel>.csv", views.file, name="file"),
    path("/<path:rest>", views.nothing),
]
