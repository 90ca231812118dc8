"""Row-level security, asked without the query layer in front of it."""

import pytest
from django.db import DatabaseError, connection, transaction

from observatory.accounts.models import ApiKey, Membership, Project
from observatory.database import tenancy


def count(table):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return cursor.fetchone()[0]


BESIDE_TRACES = {
    "trace_evaluations": "trace_id, ts, created_at, evaluator_name) VALUES (%s, %s, '\\x01', now(), now(), 'judge')",
    "trace_feedback": "trace_id, ts, created_at, score) VALUES (%s, %s, '\\x01', now(), now(), 1)",
    "trace_links": "trace_id, span_id, linked_trace_id, linked_span_id, ts)"
    " VALUES (%s, %s, '\\x01', '\\x01', '\\x02', '\\x02', now())",
}


def fill(project):
    with connection.cursor() as cursor:
        for table, rest in BESIDE_TRACES.items():
            cursor.execute(
                f"INSERT INTO {table} (organisation_id, project_id, {rest}", [project.organisation_id, project.id]
            )


@pytest.fixture
def two(make_tenant, member, tenant):
    member("viewer")
    other = make_tenant("umbrella")
    for one in (tenant, other):
        fill(one.projects[0])
    return other


FILLED = ("api_keys", "api_keys_projects", "memberships", "memberships_projects", "projects", *BESIDE_TRACES)


@pytest.mark.parametrize("table", FILLED)
def test_without_an_organisation_a_statement_sees_no_row(two, table):
    with tenancy.only(tenancy.NONE):
        assert count(table) == 0


@pytest.mark.parametrize("table", FILLED)
def test_with_an_organisation_it_sees_the_rows_of_that_one(tenant, two, table):
    shown = {}
    for name in ("api_keys", "projects"):
        with tenancy.only(str(two.organisation.id)):
            shown[name] = count(name)
    with tenancy.only(str(tenant.organisation.id)):
        mine = count(table)

    assert (shown, mine) == ({"api_keys": 1, "projects": 1}, 1)


def test_a_statement_that_forgets_its_tenant_changes_nothing_of_another(tenant, two):
    with tenancy.only(str(tenant.organisation.id)):
        changed = (Project.objects.update(name="mine"), ApiKey.objects.all().delete()[0] > 0)

    assert (changed[0], Project.objects.get(organisation=two.organisation).name) == (1, "main")
    assert ApiKey.objects.filter(organisation=two.organisation).count() == 1


def test_a_row_of_another_tenant_cannot_be_made(tenant, two):
    with (
        tenancy.only(str(tenant.organisation.id)),
        pytest.raises(DatabaseError, match="row-level security"),
        transaction.atomic(),
    ):
        Project.objects.create(organisation=two.organisation, name="x", slug="x")


def test_anybody_sees_a_public_project_and_nobody_changes_it(two):
    Project.objects.filter(organisation=two.organisation).update(is_public=True)
    with tenancy.only(tenancy.NONE):
        assert (count("projects"), Project.objects.update(name="x"), Membership.objects.count()) == (1, 0, 0)


@pytest.mark.parametrize("table", BESIDE_TRACES)
def test_a_row_beside_a_trace_of_another_tenant_cannot_be_made(tenant, two, table):
    with (
        tenancy.only(str(tenant.organisation.id)),
        pytest.raises(DatabaseError, match=f'row-level security policy for table "{table}"'),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            f"INSERT INTO {table} (organisation_id, project_id, {BESIDE_TRACES[table]}",
            [two.organisation.id, two.projects[0].id],
        )


def test_anybody_reads_feedback_on_a_public_project_and_nobody_changes_it(two):
    Project.objects.filter(organisation=two.organisation).update(is_public=True)
    with tenancy.only(tenancy.NONE), connection.cursor() as cursor:
        cursor.execute("UPDATE trace_feedback SET score = 0")
        assert (count("trace_feedback"), cursor.rowcount, count("trace_evaluations")) == (1, 0, 0)


def test_the_setting_ends_with_its_transaction(two):
    with tenancy.only(str(two.organisation.id)):
        count("projects")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relrowsecurity AND relname = ANY(%s)", [list(tenancy.TABLES)]
        )
        protected = cursor.fetchone()[0]

    assert protected == len(tenancy.TABLES)


def test_every_protected_table_has_a_policy_and_does_not_belong_to_the_service(db):
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT relname, pg_get_userbyid(relowner) = current_user FROM pg_class
            WHERE relname = ANY(%s) AND EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid AND polname = 'tenant')
            """,
            [list(tenancy.TABLES)],
        )
        found = dict(cursor.fetchall())

    assert found == dict.fromkeys(tenancy.TABLES, False)


def test_the_service_cannot_set_itself_above_the_policies(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls, pg_has_role(current_user, %s, 'MEMBER') FROM pg_roles "
                       "WHERE rolname = current_user", ["observatory_owner"])  # fmt: skip
        assert cursor.fetchone() == (False, False, False)
