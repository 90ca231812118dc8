"""Paths of the error pages."""

from django.urls import path

from errors import views

urlpatterns = [
    path("errors", views.error_index, name="error-index"),
    path("errors/<int:code>", views.error_page, name="error-page"),
]
