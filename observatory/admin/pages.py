"""The pages of ours, in the order of the front page: another one is another row."""

from typing import cast

from django.contrib import admin
from procrastinate.contrib.django import admin as _  # noqa: F401  registers its model when it is imported
from procrastinate.contrib.django.models import ProcrastinateJob

from observatory.admin import operations, states, traces, unpriced
from observatory.admin_site import AdminPage, ObservatoryAdminSite, is_superuser

PAGES: tuple[AdminPage, ...] = (
    AdminPage(path="traces/", name="traces", title="Traces and spans", view=traces.entrance),
    AdminPage(path="o/<slug:organisation>/traces", name="traces-of", title="", view=traces.listing, listed=False),
    AdminPage(
        path="o/<slug:organisation>/traces/<str:trace_id>", name="trace-of", title="", view=traces.one, listed=False
    ),
    AdminPage(path="unpriced/", name="unpriced", title="Models without a price", view=unpriced.entrance),
    AdminPage(path="o/<slug:organisation>/unpriced", name="unpriced-of", title="", view=unpriced.listing, listed=False),
    AdminPage(path="aggregates/", name="aggregates", title="Aggregates", view=states.aggregates, may=is_superuser),
    AdminPage(path="retention/", name="retention", title="Retention", view=states.retention, may=is_superuser),
    AdminPage(path="compression/", name="compression", title="Compression", view=states.compression, may=is_superuser),
    AdminPage(path="jobs/", name="jobs", title="Jobs", view=states.jobs, may=is_superuser),
    AdminPage(path="operations/<slug:key>/", name="operation", title="", view=operations.operation, listed=False),
    AdminPage(path="runs/<slug:run_id>/", name="run", title="", view=operations.run, listed=False),
)
site = cast("ObservatoryAdminSite", admin.site)
site.unregister(ProcrastinateJob)  # of everybody: the page of jobs shows them, to superusers
site.add_pages(PAGES)
