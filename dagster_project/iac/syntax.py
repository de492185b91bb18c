"""The shape of HCL: expressions and bodies, whichever of its two notations they are written in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from functools import cached_property, reduce

from dagster_project.iac.values import Scalar


class Expression:
    """The base of all expressions."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Literal(Expression):
    """A constant, with its place."""

    value: Scalar


@dataclass(frozen=True, slots=True)
class Template(Expression):
    """A string with interpolations, in order. One interpolation alone keeps the type of its value."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Opaque(Expression):
    """What is not evaluated: a template with directives, say. ``inside`` are the expressions in it."""

    what: str
    inside: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class Name(Expression):
    """The first word of a traversal: ``var``, ``local``, a resource type, an iterator."""

    name: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """A step ``.name``."""

    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """A step ``[key]``, or the old ``.0``."""

    key: Expression


@dataclass(frozen=True, slots=True)
class Splat:
    """A step ``[*]`` or ``.*``, with the steps that are taken in every element."""

    steps: tuple[Attribute | Index, ...]


Step = Attribute | Index | Splat


@dataclass(frozen=True, slots=True)
class Traversal(Expression):
    """Steps from an expression."""

    base: Expression
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """A function call; ``is_expanded`` where the last argument ends in ``...``."""

    name: str
    arguments: tuple[Expression, ...]
    is_expanded: bool = False


@dataclass(frozen=True, slots=True)
class Conditional(Expression):
    """``condition ? then : otherwise``."""

    condition: Expression
    then: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class Binary(Expression):
    """``left operator right``."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Unary(Expression):
    """``-operand`` or ``!operand``."""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class TupleOf(Expression):
    """``[a, b]``."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class ObjectOf(Expression):
    """``{ key = value }``; a bare word as key is a literal."""

    items: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True, slots=True)
class For(Expression):
    """``[for key, value in collection : value]``, or with ``key =>`` an object."""

    key_name: str | None
    value_name: str
    collection: Expression
    key: Expression | None
    value: Expression
    condition: Expression | None
    is_grouping: bool = False


Parsed = Callable[[], Expression]


@dataclass(slots=True, eq=False)
class Block:
    """A block with its labels."""

    type: str
    labels: tuple[str, ...]
    body: Body


@dataclass(eq=False)
class Body:
    """Attributes and blocks. ``file`` is where it begins; merged bodies have parts of other files.

    Attributes are parsed when they are asked for.
    """

    file: str
    parsed: dict[str, Parsed] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    nested_from: Callable[[str], list[Body] | None] | None = None
    """In JSON an attribute may stand for blocks: the bodies that a name would have as such, or None."""

    def __post_init__(self) -> None:
        self._done: dict[str, Expression] = {}

    def names(self) -> Iterator[str]:
        """Names of the attributes, in order."""
        return iter(self.parsed)

    def expression(self, name: str) -> Expression | None:
        """The attribute's expression; None where there is no such attribute."""
        if name not in self._done:
            if name not in self.parsed:
                return None
            self._done[name] = self.parsed[name]()
        return self._done[name]

    def nested(self, type_: str) -> list[Body]:
        """The bodies of the blocks of a type, in order; dynamic blocks are not among them."""
        found = [block.body for block in self.blocks if block.type == type_]
        if not found and self.nested_from and type_ in self.parsed:
            return self.nested_from(type_) or []
        return found

    def require_syntax(self) -> None:
        """Parses every expression in it and below. Raises ``CodeError`` for the first that is not valid."""
        for name in self.parsed:
            self.expression(name)
        for block in self.blocks:
            block.body.require_syntax()

    def references(self) -> frozenset[str]:
        """The first two words of every traversal in it and below: ``aws_instance.web``, ``var.size``."""
        found: set[str] = set()
        for name in self.parsed:
            expression = self.expression(name)
            found |= set(references_in(expression)) if expression else set()
        return frozenset(found.union(*(block.body.references() for block in self.blocks)))

    @cached_property
    def block_types(self) -> frozenset[str]:
        """Types of the blocks in it."""
        return frozenset(block.type for block in self.blocks)

    def merged_with(self, other: Body) -> Body:
        """What Terraform makes of a block and its override: attributes replace attributes, blocks all blocks of their type.
        Only of lifecycle blocks the attributes are merged."""
        made = {_made_type(block) for block in other.blocks}
        taken = made | set(other.parsed)
        lifecycles = [*self.nested("lifecycle"), *other.nested("lifecycle")]

        def nested_from(name: str) -> list[Body] | None:
            holder = other if name in other.parsed else self
            return holder.nested_from(name) if holder.nested_from else None

        return Body(
            self.file,
            {**{name: parsed for name, parsed in self.parsed.items() if name not in made}, **other.parsed},
            [
                *(block for block in self.blocks if _made_type(block) not in taken | {"lifecycle"}),
                *(block for block in other.blocks if block.type != "lifecycle"),
                *([Block("lifecycle", (), reduce(Body.merged_with, lifecycles))] if lifecycles else ()),
            ],
            nested_from,
        )


def _made_type(block: Block) -> str:
    """The type of the blocks that a block stands for: a dynamic one makes others."""
    return block.labels[0] if block.type == "dynamic" and block.labels else block.type


def references_in(expression: Expression) -> Iterator[str]:
    """The first two words of every traversal in an expression."""
    pending: list[object] = [expression]
    while pending:
        each = pending.pop()
        if isinstance(each, Traversal) and isinstance(each.base, Name) and each.steps and isinstance(each.steps[0], Attribute):
            yield f"{each.base.name}.{each.steps[0].name}"
        if isinstance(each, tuple):
            pending += each
        elif isinstance(each, Expression | Index | Splat):
            pending += [getattr(each, field.name) for field in fields(each)]  # type: ignore[arg-type]
