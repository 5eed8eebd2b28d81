"""Assembles the tool calls of an answer from the pieces that a provider sends."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class _Call:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    is_named_again: bool = False
    """A piece repeated the name after the arguments were complete: more arguments are those of a new call."""

    @property
    def is_complete(self) -> bool:
        """Whether the arguments so far are a JSON object."""
        if not self.arguments or not self.arguments[-1].rstrip().endswith("}"):
            return False
        return _is_json("".join(self.arguments))


class ToolCallAssembler:
    """Keeps parallel calls apart, whatever index and id their pieces have or lack."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._by_slot: dict[str, _Call] = {}

    def add(self, entries: Any) -> None:
        """Add the `tool_calls` of one message or delta."""
        pieces = [entries] if isinstance(entries, Mapping) and entries else entries
        if not isinstance(pieces, Sequence) or isinstance(pieces, str):
            return
        touched: list[_Call] = []
        for position, piece in enumerate(pieces):
            if isinstance(piece, Mapping):
                slot = f"position {position}" if len(pieces) > 1 else None
                touched.append(self._add_piece(_read_piece(piece, slot), touched))

    def _add_piece(self, piece: "_Piece", touched: Sequence[_Call]) -> _Call:
        call = self._find(piece)
        if call is None or _starts_new_call(call, piece, was_touched=any(call is one for one in touched)):
            call = _Call(name=call.name if call is not None and call.is_named_again else "")
            self._calls.append(call)
        elif piece.name and not piece.arguments and call.is_complete:
            call.is_named_again = True
        if piece.slot is not None:
            self._by_slot[piece.slot] = call
        call.id = call.id or piece.id
        if piece.name and piece.name != call.name:
            call.name += piece.name
        if piece.arguments:
            call.arguments.append(piece.arguments)
        return call

    def _find(self, piece: "_Piece") -> _Call | None:
        """Return the call that a piece may continue."""
        if piece.is_indexed and piece.slot is not None:
            return self._by_slot.get(piece.slot)
        if piece.id and (known := next((c for c in reversed(self._calls) if c.id == piece.id), None)):
            return known
        if piece.slot is not None:
            return self._by_slot.get(piece.slot)
        return self._calls[-1] if self._calls else None

    def finish(self) -> list[dict[str, Any]]:
        """Return the calls in OpenAI's format, each with an id of its own."""
        used: set[str] = set()
        calls = []
        for position, call in enumerate(self._calls):
            call_id = call.id if call.id and call.id not in used else f"call_{uuid.uuid4().hex[:24]}"
            used.add(call_id)
            function = {"name": call.name, "arguments": _join_arguments(call.arguments)}
            calls.append({"id": call_id, "type": "function", "function": function, "index": position})
        return calls


@dataclass(frozen=True)
class _Piece:
    """`slot` is the index or, without one, the position among several pieces of one message."""

    slot: str | None
    is_indexed: bool
    id: str
    name: str
    arguments: str


def _read_piece(piece: Mapping[str, Any], slot: str | None) -> _Piece:
    function = piece.get("function")
    source = function if isinstance(function, Mapping) else piece
    arguments = source.get("arguments")
    index, call_id = piece.get("index"), piece.get("id")
    return _Piece(
        slot=slot if index is None else str(index),
        is_indexed=index is not None,
        id="" if call_id is None else str(call_id),
        name=str(source.get("name") or ""),
        arguments=arguments
        if isinstance(arguments, str)
        else ""
        if arguments is None
        else json.dumps(arguments),
    )


def _starts_new_call(call: _Call, piece: _Piece, *, was_touched: bool) -> bool:
    if not piece.name:
        if call.is_named_again and piece.arguments:
            return True
        # Some servers send a new id with every piece: without a name it continues the call.
        return bool(piece.id and call.id and piece.id != call.id and (was_touched or call.is_complete))
    if piece.id and call.id and piece.id != call.id:
        return True
    if was_touched:  # two entries of one list are two calls
        return True
    if not call.arguments:
        return bool(call.name) and piece.name != call.name and not piece.is_indexed
    return piece.name != call.name or (bool(piece.arguments) and call.is_complete)


def _join_arguments(pieces: Sequence[str]) -> str:
    text = "".join(pieces)
    rest = text.removeprefix("{}").strip()  # a placeholder, sent by some servers before the arguments
    return rest if rest.startswith("{") and rest != text else text


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
