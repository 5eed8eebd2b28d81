"""JSON Schemas of simple pydantic classes, read from their source."""

import ast
from typing import Any

from crewai_runner.domain.workflow_yaml.python_project.scopes import PythonProject, Scope
from crewai_runner.domain.workflow_yaml.python_project.source import NotData, SourceModule, name_of

MAX_DEPTH = 12
_SIMPLE: dict[str, dict[str, Any]] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "dict": {"type": "object"},
    "Dict": {"type": "object"},
    "list": {"type": "array"},
    "List": {"type": "array"},
    "Decimal": {"type": "number"},
    "datetime": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "HttpUrl": {"type": "string", "format": "uri"},
    "AnyUrl": {"type": "string", "format": "uri"},
    "UUID": {"type": "string", "format": "uuid"},
    "EmailStr": {"type": "string"},
    "Any": {},
    "object": {},
}
_LISTS = frozenset({"list", "List", "Sequence", "Set", "set", "Iterable"})
_MAPPINGS = frozenset({"dict", "Dict", "Mapping"})
_LIMITS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_items": "minItems",
    "max_items": "maxItems",
    "pattern": "pattern",
    "description": "description",
    "title": "title",
}
_LIST_LIMITS = {"minLength": "minItems", "maxLength": "maxItems"}
_IGNORED = frozenset({"default", "default_factory", "example", "examples", "json_schema_extra", "alias"})


def build_schema(node: ast.expr, scope: Scope, project: PythonProject) -> tuple[dict[str, Any], list[str]]:
    """Return the JSON Schema of the pydantic class that an expression names, and what it lacks.

    Raises NotData when it is not a class of this project, or one with fields that are not simple.
    """
    place = project.find_class(node, scope.module)
    if place is None:
        raise NotData
    builder = _SchemaBuilder(project)
    return builder.build_class(*place, 0), builder.lacks


class _SchemaBuilder:
    def __init__(self, project: PythonProject) -> None:
        self._project = project
        self.lacks: list[str] = []

    def build_class(self, module: SourceModule, owner: ast.ClassDef, depth: int) -> dict[str, Any]:
        self._project.count_step(depth)
        if depth > MAX_DEPTH:
            raise NotData
        bases = {name_of(base) for base in owner.bases}
        if bases & {"Enum", "StrEnum"}:
            return _build_enum(owner)
        schema = self._build_bases(module, owner, depth)
        if docstring := ast.get_docstring(owner):
            schema["description"] = docstring
        for item in owner.body:
            match item:
                case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                    if name != "model_config" and name_of(annotation) != "ClassVar":
                        self._add_field(schema, name, annotation, value, module, depth)
                case ast.FunctionDef(name=name):
                    self.lacks.append(f"`{owner.name}.{name}` is Python code that checks or changes it.")
        return schema

    def _build_bases(self, module: SourceModule, owner: ast.ClassDef, depth: int) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
        for base in owner.bases:
            if name_of(base) in ("BaseModel", "str", "TypedDict"):
                continue
            place = self._project.find_class(base, module)
            if place is None or place[1] is owner:
                raise NotData
            inherited = self.build_class(*place, depth + 1)
            schema["properties"] |= inherited["properties"]
            schema["required"] += inherited.get("required", [])
        return schema

    def _add_field(
        self,
        schema: dict[str, Any],
        name: str,
        annotation: ast.expr,
        value: ast.expr | None,
        module: SourceModule,
        depth: int,
    ) -> None:
        described = dict(self.build_type(annotation, module, depth + 1))
        is_required = value is None
        if isinstance(value, ast.Call) and name_of(value.func) == "Field":
            is_required = self._add_limits(described, value, name)
        schema["properties"][name] = described
        if is_required:
            schema["required"].append(name)

    def _add_limits(self, described: dict[str, Any], call: ast.Call, name: str) -> bool:
        """Add the limits of a `Field(...)`; return whether the field is required."""
        is_required = not call.args or (isinstance(call.args[0], ast.Constant) and call.args[0].value is ...)
        for word in call.keywords:
            is_required = is_required and word.arg not in ("default", "default_factory")
            key = _LIMITS.get(word.arg or "")
            if key is not None and described.get("type") == "array":
                key = _LIST_LIMITS.get(key, key)
            match word.value:
                case ast.Constant(value=str() | int() | float() as limit) if key is not None:
                    described[key] = limit
                case _ if word.arg not in _IGNORED:
                    self.lacks.append(f"`{word.arg}` of the field `{name}` was left out.")
        return is_required

    def build_type(self, node: ast.expr, module: SourceModule, depth: int) -> dict[str, Any]:
        self._project.count_step(depth)
        match node:
            case ast.Constant(value=str() as text):
                return self.build_type(_parse_annotation(text), module, depth + 1)
            case ast.Constant(value=None):
                return {"type": "null"}
            case ast.BinOp(op=ast.BitOr(), left=left, right=right):
                return self._build_union([left, right], module, depth)
            case ast.Subscript(value=generic, slice=inner):
                return self._build_generic(name_of(generic) or "", inner, module, depth)
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in _SIMPLE:
                return _SIMPLE[name]
        place = self._project.find_class(node, module)
        if place is None:
            raise NotData
        return self.build_class(*place, depth + 1)

    def _build_generic(self, name: str, inner: ast.expr, module: SourceModule, depth: int) -> dict[str, Any]:
        items = list(inner.elts) if isinstance(inner, ast.Tuple) else [inner]
        if name in _LISTS and len(items) == 1:
            return {"type": "array", "items": self.build_type(items[0], module, depth + 1)}
        if name in _MAPPINGS and len(items) > 1:
            return {"type": "object", "additionalProperties": self.build_type(items[1], module, depth + 1)}
        if name == "Optional":
            return self._build_union([*items, ast.Constant(None)], module, depth)
        if name == "Union":
            return self._build_union(items, module, depth)
        if name == "Annotated":
            return self.build_type(items[0], module, depth + 1)
        if name == "Literal":
            values = [item.value for item in items if isinstance(item, ast.Constant)]
            if len(values) == len(items) and all(isinstance(value, str | int) for value in values):
                return {"enum": values}
        raise NotData

    def _build_union(self, nodes: list[ast.expr], module: SourceModule, depth: int) -> dict[str, Any]:
        return {"anyOf": [self.build_type(node, module, depth + 1) for node in nodes]}


def _parse_annotation(text: str) -> ast.expr:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise NotData from None


def _build_enum(owner: ast.ClassDef) -> dict[str, Any]:
    assigned = [item.value for item in owner.body if isinstance(item, ast.Assign)]
    values = [item.value for item in assigned if isinstance(item, ast.Constant)]
    if not values or not all(isinstance(value, str | int) for value in values):
        raise NotData
    return {"enum": values}
