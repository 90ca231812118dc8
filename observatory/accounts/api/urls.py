"""Routes of what an organisation manages, under /api/v1."""

from django.urls import path

from observatory.accounts.api.audit import AuditView
from observatory.accounts.api.keys import KeyListView, KeyRotationView, KeyView
from observatory.accounts.api.me import MeView
from observatory.accounts.api.members import MemberListView, MemberView
from observatory.accounts.api.projects import ProjectListView, ProjectView
from observatory.accounts.api.tickets import TicketView

urlpatterns = [
    path("me", MeView.as_view(), name="me"),
    path("projects", ProjectListView.as_view(), name="projects"),
    path("projects/<str:id>", ProjectView.as_view(), name="project"),
    path("members", MemberListView.as_view(), name="members"),
    path("members/<str:id>", MemberView.as_view(), name="member"),
    path("keys", KeyListView.as_view(), name="keys"),
    path("keys/<str:id>", KeyView.as_view(), name="key"),
    path("keys/<str:id>/rotate", KeyRotationView.as_view(), name="key-rotation"),
    path("events/ticket", TicketView.as_view(), name="events-ticket"),
    path("audit", AuditView.as_view(), name="audit"),
]
