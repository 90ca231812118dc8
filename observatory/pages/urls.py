"""Paths of the pages."""

from django.urls import path

from observatory.pages import signing_in, views

app_name = "pages"
urlpatterns = [
    path("", views.home, name="home"),
    path("/sign-in", signing_in.sign_in, name="sign-in"),
    path("/sign-out", signing_in.sign_out, name="sign-out"),
    path("/o/<slug:organisation>", views.entrance, name="entrance"),
    path("/o/<slug:organisation>/<slug:page>", views.page, name="page"),
    path("/o/<slug:organisation>/<slug:page>/<slug:panel>.csv", views.file, name="file"),
    path("/<path:rest>", views.nothing),
]
