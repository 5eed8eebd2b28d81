"""The names of those who did something: people, API keys, the server's own key."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Row, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import QueryableAttribute, Session, aliased

from crewai_runner.core.ids import Prefix, has_prefix
from crewai_runner.core.roles import SERVER_KEY, SERVER_KEY_NAME
from crewai_runner.db.base import ShowsSubject
from crewai_runner.db.tables.api_keys import ApiKeyRow
from crewai_runner.db.tables.people import PersonRow

_PERSON, _KEY, _OWNER = aliased(PersonRow), aliased(ApiKeyRow), aliased(PersonRow)
# A person's own key acts for the person: "Ann (laptop)".
_KEY_NAME = case(
    (_KEY.person_id.is_(None), _KEY.name),
    else_=_OWNER.name + " (" + _KEY.name + ")",
)


def subject_name(subject: ColumnElement[Any] | QueryableAttribute[Any]) -> ColumnElement[Any]:
    """Return the name for a column of subjects, for lists: two look-ups by primary key for each row.

    Null stays null; a subject that is neither a person nor a key is its own name.
    """
    person = select(_PERSON.name).where(_PERSON.id == subject).scalar_subquery()
    key = (
        select(_KEY_NAME)
        .outerjoin(_OWNER, _OWNER.id == _KEY.person_id)
        .where(_KEY.id == subject)
        .scalar_subquery()
    )
    return case((subject == SERVER_KEY, SERVER_KEY_NAME), else_=func.coalesce(person, key, subject))


async def load_subject_names(session: AsyncSession, rows: Iterable[ShowsSubject]) -> None:
    """Give rows the names of their subjects, in one query; none if only the server's key acted."""
    shown = list(rows)
    if wanted := _list_wanted(shown):
        _set_names(shown, (await session.execute(_select_names(wanted))).all())


def read_subject_names(session: Session, rows: Iterable[ShowsSubject]) -> None:
    """`load_subject_names` in a session of the snapshot reader."""
    shown = list(rows)
    if wanted := _list_wanted(shown):
        _set_names(shown, session.execute(_select_names(wanted)).all())


def _list_wanted(rows: Iterable[ShowsSubject]) -> set[str]:
    subjects = {subject for row in rows if (subject := row.get_subject()) is not None}
    return {
        subject
        for subject in subjects
        if has_prefix(subject, Prefix.PERSON) or has_prefix(subject, Prefix.API_KEY)
    }


def _select_names(subjects: set[str]) -> CompoundSelect[str, str]:
    people = select(_PERSON.id, _PERSON.name).where(_PERSON.id.in_(subjects))
    keys = (
        select(_KEY.id, _KEY_NAME.label("name"))
        .outerjoin(_OWNER, _OWNER.id == _KEY.person_id)
        .where(_KEY.id.in_(subjects))
    )
    return people.union_all(keys)


def _set_names(rows: Iterable[ShowsSubject], found: Iterable[Row[str, str]]) -> None:
    names: Mapping[str, str] = {row.id: row.name for row in found}
    for row in rows:
        row.set_subject_name(names.get(row.get_subject() or ""))
