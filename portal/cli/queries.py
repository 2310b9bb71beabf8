"""`portal queries`: the library, and the queries that researchers keep for themselves and their projects."""

from collections.abc import Mapping
from dataclasses import asdict

import click

from portal.cli.context import with_services
from portal.cli.printing import json_option, show, show_records
from portal.cli.statements import read_statement
from portal.cli.values import asker_options, parameters_option
from portal.desk.answers import Asker
from portal.desk.own_queries import TOPIC, Draft, keep_query, own_library, own_name, own_versions, revise_query, show_to
from portal.desk.saved import fork_query, library, saved_query
from portal.desk.services import Services
from portal.errors import Fault, UsageError
from portal.ids import OwnQueryId, QueryName
from portal.registry import OwnQuery, SeenBy

SEEN_BY = click.Choice([str(each) for each in SeenBy])


@click.group
def queries() -> None:
    """List, show, keep, share and fork saved queries; `portal query @NAME` runs one."""


@queries.command("list")
@asker_options
@json_option
@with_services
def list_queries(services: Services, asker: Asker) -> None:
    """List the queries that are open: those kept, then the library by topic."""
    own = [_in_brief(query) for query in own_library(services, asker)]
    found = sorted(library(services, asker), key=lambda query: query.name)
    show_records([*own, *({"name": query.name, "title": query.front.title, "seen_by": "all"} for query in found)])


@queries.command("show")
@click.argument("name")
@asker_options
@json_option
@with_services
def show_query(services: Services, name: str, asker: Asker) -> None:
    """Show the query NAME with its text; of one that is kept, every version that you may see."""
    if name.startswith(f"{TOPIC}/"):
        versions = own_versions(services, asker, _id(name))
        show([_record(query) for query in versions], "\n\n".join(map(_in_words, versions)))
        return
    query = saved_query(services, asker, QueryName(name))
    show({"name": name, **query.front.model_dump(mode="json"), "sql": query.sql}, f"{query.front.title}\n{query.sql}")


@queries.command("keep")
@click.argument("sql")
@asker_options
@parameters_option
@click.option("--title", required=True)
@click.option("--question", default="", help="What it asks.")
@click.option("--seen-by", type=SEEN_BY, default=str(SeenBy.OWNER), show_default=True)
@click.option("--as-version-of", "query", help="The kept query of which this is the next version.")
@json_option
@with_services
def keep(  # noqa: PLR0913 - one for each option
    services: Services,
    sql: str,
    *,
    asker: Asker,
    parameters: Mapping[str, str],
    title: str,
    question: str,
    seen_by: str,
    query: str | None,
) -> None:
    """Keep SQL (`-` reads it from standard input) under a name; the values given are asked unless others are."""
    draft = Draft(title, read_statement(services, asker, sql, parameters), question, SeenBy(seen_by))
    kept = revise_query(services, asker, _id(query), draft) if query else keep_query(services, asker, draft)
    show_records([_in_brief(kept)])


@queries.command("fork")
@click.argument("name")
@asker_options
@json_option
@with_services
def fork(services: Services, name: str, asker: Asker) -> None:
    """Keep a query of your own that begins as NAME."""
    show_records([_in_brief(fork_query(services, asker, QueryName(name)))])


@queries.command("show-to")
@click.argument("name")
@click.argument("seen_by", type=SEEN_BY)
@asker_options
@json_option
@with_services
def show_query_to(services: Services, name: str, seen_by: str, asker: Asker) -> None:
    """Say who sees the kept query NAME from now on; `nobody` puts it away."""
    show_records([_in_brief(show_to(services, asker, _id(name), SeenBy(seen_by)))])


def _id(name: str) -> OwnQueryId:
    topic, _, rest = name.partition("/")
    if topic != TOPIC:
        fault = Fault("NOT_KEPT", f"{name} is no kept query.", fix=f"Name one as {TOPIC}/…, or fork it first.")
        raise UsageError(fault)
    return OwnQueryId(rest.partition(".")[0])


def _in_brief(query: OwnQuery) -> dict[str, object]:
    return {"name": own_name(query), "title": query.title, "seen_by": str(query.seen_by)}


def _record(query: OwnQuery) -> dict[str, object]:
    return {"name": own_name(query), **asdict(query)}


def _in_words(query: OwnQuery) -> str:
    origin = f", from {query.origin}" if query.origin else ""
    return f"{own_name(query)}: {query.title} ({query.author}, {query.at:%Y-%m-%d %H:%M}{origin})\n{query.sql}"
