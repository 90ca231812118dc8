"""Which re-pricings a member of staff sees."""

from django.db.models import QuerySet
from django.http import HttpRequest

from analytics.models import CostRun
from observatory.accounts.admin_reach import organisations_of
from observatory.accounts.models import Project


def runs_in_reach(request: HttpRequest) -> QuerySet[CostRun]:
    """Return the runs over projects in reach; those over every project are superusers'."""
    reach, runs = organisations_of(request), CostRun.objects.all()
    if reach is None:
        return runs
    projects = list(Project.objects.filter(organisation_id__in=reach).values_list("pk", flat=True))
    return runs.filter(project_id__in=projects)
