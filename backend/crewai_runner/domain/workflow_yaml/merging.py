"""YAML's merge key: `<<: *defaults`."""

from crewai_runner.domain.workflow_yaml.nodes import Broken, Listing, Node, Scalar, Table
from crewai_runner.domain.workflow_yaml.problems import Place, Problems


def fold_merges(table: Table, merges: list[Node], place: Place, problems: Problems) -> None:
    """Adds what `<<` brings; what the mapping says itself wins, then what is merged first."""
    for merge in merges:
        for source in merge.items if isinstance(merge, Listing) else [merge]:
            if isinstance(source, Scalar) and isinstance(source.value, Broken):
                continue
            if not isinstance(source, Table):
                message = "`<<` takes a mapping or a list of mappings, as in `<<: *name`."
                problems.error(place.to("<<", merge.index), "bad-merge", message)
                continue
            for entry in source.entries:
                if entry.key not in table.keys:
                    table.add(entry)
