from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from observatory.accounts.models import ApiKey, Membership, Organisation, Project, User

admin.site.site_header = admin.site.site_title = "LLM Observatory"


@admin.register(User)
class MemberAdmin(UserAdmin):
    """Users are disabled, not deleted: tokens of a known user die with it, those of a stranger live on."""

    def has_delete_permission(self, request: object, obj: object = None) -> bool:  # noqa: ARG002  signature of Django
        return False


@admin.register(Organisation)
class OrganisationAdmin(admin.ModelAdmin):
    list_display = ("slug", "name", "public_id", "created_at")
    search_fields = ("slug", "name")


@admin.register(Project)
class ProjectAdmin(admin.ModelAdmin):
    list_display = ("slug", "organisation", "name", "is_public", "public_id")
    list_filter = ("organisation", "is_public")
    list_select_related = ("organisation",)
    search_fields = ("slug", "name")


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    list_display = ("user", "organisation", "role")
    list_filter = ("organisation", "role")
    list_select_related = ("user", "organisation")
    filter_horizontal = ("projects",)


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):
    """Keys are made by the service, which shows their secret once; here they are seen, limited and revoked."""

    list_display = ("name", "prefix", "organisation", "rate_limit_tier", "expires_at", "revoked_at")
    list_filter = ("organisation",)
    list_select_related = ("organisation",)
    readonly_fields = ("prefix", "created_by")

    def has_add_permission(self, request: object) -> bool:  # noqa: ARG002  signature of Django
        return False
