"""Random Terraform repositories of which every value is known: for comparing the editor with Terraform's own plan.

    @given(repositories())
    def test_something(repository): ...

    repository = seeded(7)                                    # the same without Hypothesis
    plan = twin.plan(twin.build(repository.files, folder), repository.root, **repository.told)
    rows = live(plan)                                         # address -> id and sizing attributes, as the cloud has them
    state = case_files.state(rows)

The generator knows shapes (which keys a map has, how long a list is) and no values: what a literal decides is Terraform's
to tell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from hypothesis import strategies as st

SIZED: Final[Mapping[str, tuple[str, ...]]] = {
    "aws_instance": ("instance_type",),
    "aws_db_instance": ("instance_class",),
    "aws_launch_template": ("instance_type",),
    "aws_ebs_volume": ("size", "type"),
    "aws_autoscaling_group": ("min_size", "max_size"),
}
NUMBERS: Final = frozenset({"size", "min_size", "max_size"})
WORDS: Final = ("web", "api", "job", "etl", "a.b", "x-y", "prod", "x[0]")
SIZES: Final = ("m5.large", "m5.xlarge", "c5.large", "r5.large", "t3.micro", "m5.2xlarge")
Index = Callable[[int], int]
"""A number below the given one: from Hypothesis, which shrinks to 0, or from a seeded generator."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository and what its root is run with."""

    files: Mapping[str, bytes]
    root: str
    var_files: tuple[str, ...] = ()
    workspace: str | None = None

    @property
    def told(self) -> dict[str, Any]:
        """The further arguments of `twin.plan`."""
        return {"var_files": self.var_files, "workspace": self.workspace}


@st.composite
def repositories(draw: st.DrawFn) -> Repository:
    """Small repositories, the simplest ones first."""
    return _Writer(lambda below: draw(st.integers(0, below - 1)) if below > 1 else 0).repository()


def seeded(seed: int) -> Repository:
    """The repository of a seed."""
    return _Writer(Random(seed).randrange).repository()


def live(plan: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What a state would hold after an apply of the plan: each address with an id and its sizing attributes."""
    rows: dict[str, dict[str, Any]] = {}
    for number, (address, arguments) in enumerate(sorted(plan.items()), start=1):
        kind = re.sub(r"\[[^\]]*\]", "", re.sub(r'"(?:[^"\\]|\\.)*"', "", address)).split(".")[-2]
        if kind in SIZED:
            sizes = {name: arguments[name] for name in SIZED[kind] if name in arguments}
            rows[address] = {"id": f"{kind.removeprefix('aws_')}-{number}", **{k: _typed(k, v) for k, v in sizes.items()}}
    return rows


def _typed(attribute: str, value: Any) -> Any:
    return int(value) if attribute in NUMBERS else value


# ---------------------------------------------------------------------------------------------------------------- scopes


@dataclass(slots=True)
class _Scope:
    """What expressions of one module folder may refer to."""

    strings: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    maps: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    lists: list[tuple[str, int]] = field(default_factory=list)
    servers: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """Lists of objects with name, type and enabled, and the names in their order."""

    def within(self, *, strings: Sequence[str] = (), numbers: Sequence[str] = ()) -> _Scope:
        """The scope inside a block, with each.value and the like."""
        inner_strings = [*strings, *strings, *strings, *self.strings]
        inner_numbers = [*numbers, *numbers, *self.numbers]
        return _Scope(inner_strings, inner_numbers, self.flags, self.maps, self.lists, self.servers)


@dataclass(slots=True)
class _Module:
    """A written module: what a call must give and what it gives back."""

    folder: str
    strings: list[str] = field(default_factory=list)
    defaulted: list[str] = field(default_factory=list)
    maps: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    servers: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    map_outputs: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)


class _Writer:
    """Writes one repository by drawing numbers."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.files: dict[str, str] = {}
        self.names = 0
        self.literals = 0
        self.workspace: str | None = None
        self.modules: list[_Module] = []

    # ------------------------------------------------------------ drawing

    def pick(self, items: Sequence[Any]) -> Any:
        return items[self.index(len(items))]

    def chance(self, percent: int) -> bool:
        return self.index(100) >= 100 - percent

    def name(self, prefix: str) -> str:
        self.names += 1
        return f"{prefix}{self.names}"

    def keys(self, least: int = 1) -> tuple[str, ...]:
        start, number = self.index(len(WORDS)), least + self.index(3)
        return tuple(WORDS[(start + offset) % len(WORDS)] for offset in range(number))

    def size(self) -> str:
        """A value of its own, or one of few: several literals of a repository then have the same one."""
        self.literals += 1
        return str(self.pick(SIZES)) if self.chance(50) else f"x{self.literals}.large"

    # ------------------------------------------------------------ strings

    def string(self, scope: _Scope, depth: int = 3) -> str:
        """An expression whose value is a size."""
        leaves: list[Callable[[], str]] = [lambda: f'"{self.size()}"']
        if scope.strings:
            leaves += [lambda: self.pick(scope.strings)] * 3
        if scope.maps:
            leaves += [lambda: self.map_item(scope)] * 2
        if scope.lists:
            leaves.append(lambda: self.list_item(scope))
        if scope.servers:
            leaves.append(lambda: self.server_item(scope))
        if depth <= 0 or self.chance(40):
            return str(self.pick(leaves)())
        inner = depth - 1
        return str(
            self.pick(
                [
                    *leaves,
                    lambda: f'"${{{self.string(scope, inner)}}}"',
                    lambda: f"({self.string(scope, inner)})",
                    lambda: f"{self.flag(scope)} ? {self.string(scope, inner)} : {self.string(scope, inner)}",
                    lambda: f'coalesce(null, "", {self.string(scope, inner)}, "decoy.large")',
                    lambda: f"try({self.failing(scope)}, {self.string(scope, inner)})",
                    lambda: f"try({self.string(scope, inner)}, {self.string(scope, inner)})",
                    lambda: self.of_map(scope, inner),
                    lambda: self.of_map(scope, inner),
                    lambda: self.of_list(scope, inner),
                    lambda: self.of_list(scope, inner),
                ]
            )()
        )

    def failing(self, scope: _Scope) -> str:
        return f"{self.pick(scope.maps)[0]}.missing" if scope.maps and self.chance(60) else '{ a = 1 }["b"]'

    def flag(self, scope: _Scope) -> str:
        options = [
            '"a" == "a"',
            "1 > 2",
            *scope.flags,
            *(f"!{flag}" for flag in scope.flags),
            *(f"{f} && true" for f in scope.flags),
        ]
        if self.workspace:
            options += ['terraform.workspace == "prod"', 'terraform.workspace != "prod"']
        return str(self.pick(options))

    def map_item(self, scope: _Scope) -> str:
        text, keys = self.pick(scope.maps)
        return self.item(text, self.pick(keys))

    def item(self, text: str, key: str) -> str:
        forms = [f'{text}["{key}"]', f'lookup({text}, "{key}")', f'lookup({text}, "{key}", "decoy.large")']
        if key.isidentifier():
            forms += [f"{text}.{key}", f'{text}["${{"{key}"}}"]']
        return str(self.pick(forms))

    def list_item(self, scope: _Scope) -> str:
        text, length = self.pick(scope.lists)
        position = self.index(length)
        return str(self.pick([f"{text}[{position}]", f"element({text}, {position + length * self.index(3)})"]))

    def server_item(self, scope: _Scope) -> str:
        text, names = self.pick(scope.servers)
        position = self.index(len(names))
        return str(
            self.pick(
                [
                    f"{text}[{position}].type",
                    f"{text}.*.type[{position}]",
                    f'{{ for server in {text} : server.name => server.type }}["{names[position]}"]',
                    f'[for server in {text} : server.type if server.name == "{names[position]}"][0]',
                    f'{{ for server in {text} : server.name => server.type... }}["{names[position]}"][0]',
                ]
            )
        )

    def of_map(self, scope: _Scope, depth: int) -> str:
        keys = self.keys()
        return self.item(self.map(scope, keys, depth), self.pick(keys))

    def of_list(self, scope: _Scope, depth: int) -> str:
        length = 1 + self.index(3)
        text = self.list(scope, length, depth)
        position = self.index(length)
        return str(self.pick([f"{text}[{position}]", f"element({text}, {position + length})"]))

    # ------------------------------------------------------------ maps and lists of strings

    def map(self, scope: _Scope, keys: Sequence[str], depth: int) -> str:
        """An expression for an object or map of strings that has these keys at least."""
        fitting = [text for text, known in scope.maps if set(keys) <= set(known)]
        if fitting and self.chance(50):
            return str(self.pick(fitting))
        if depth <= 0 or self.chance(50):
            return self.object(scope, keys, depth - 1)
        inner = depth - 1
        half = keys[: self.index(len(keys)) + 1]
        values = f"[{', '.join(self.string(scope, inner) for _ in keys)}]"
        quoted = ", ".join(f'"{key}"' for key in keys)
        return str(
            self.pick(
                [
                    lambda: f"merge({self.map(scope, keys, inner)}, {self.object(scope, half, inner)})",
                    lambda: f"tomap({self.object(scope, keys, inner)})",
                    lambda: f"zipmap([{quoted}], {values})",
                    lambda: f"{{ for key, value in {self.map(scope, keys, inner)} : key => value }}",
                    lambda: f"{{ for key in [{quoted}] : key => {self.map(scope, keys, inner)}[key] }}",
                    lambda: f"merge([{self.object(scope, half, inner)}, {self.object(scope, keys, inner)}]...)",
                ]
            )()
        )

    def object(self, scope: _Scope, keys: Sequence[str], depth: int) -> str:
        items = []
        for key in keys:
            written = key if key.isidentifier() and self.chance(50) else f'"{key}"'
            items.append(f"{written} = {self.string(scope, depth)}")
        return "{ " + ", ".join(items) + " }"

    def list(self, scope: _Scope, length: int, depth: int) -> str:
        """An expression for a tuple or list of so many strings."""
        fitting = [text for text, known in scope.lists if known == length]
        if fitting and self.chance(50):
            return str(self.pick(fitting))
        plain = f"[{', '.join(self.string(scope, depth - 1) for _ in range(length))}]"
        if depth <= 0 or self.chance(40):
            return plain
        inner, cut = depth - 1, self.index(length)
        keys = WORDS[:length]
        return str(
            self.pick(
                [
                    lambda: f"reverse({plain})",
                    lambda: f"concat({self.list(scope, cut, inner) if cut else '[]'}, {self.list(scope, length - cut, inner)})",
                    lambda: f"[for item in {self.list(scope, length, inner)} : item]",
                    lambda: f"flatten([{plain}, []])",
                    lambda: f"values({self.object(scope, keys, inner)})",
                    lambda: f"slice(concat({plain}, {plain}), {cut}, {cut + length})",
                    lambda: f'[for item in concat({plain}, ["decoy.large"]) : item if item != "decoy.large"]',
                ]
            )()
        )

    def servers(self, scope: _Scope, names: Sequence[str], *, optional: bool) -> str:
        fitting = [text for text, known in scope.servers if list(known) == list(names)]
        if fitting and self.chance(40):
            return str(self.pick(fitting))
        items = []
        for name in names:
            if optional and self.chance(30):
                items.append(f'{{ name = "{name}" }}')
            else:
                enabled = "" if optional and self.chance(50) else f", enabled = {self.pick(['true', 'false'])}"
                items.append(f'{{ name = "{name}", type = {self.string(scope, 1)}{enabled} }}')
        if not optional:
            items = [item.replace(" }", ", enabled = true }") if "enabled" not in item else item for item in items]
        return "[\n    " + ",\n    ".join(items) + ",\n  ]"

    def number(self, scope: _Scope, depth: int = 2) -> str:
        literal = str(1 + self.index(9))
        options = [literal, f'"{literal}"', *scope.numbers, *scope.numbers]
        if depth > 0:
            options += [
                f"{self.flag(scope)} ? {self.number(scope, depth - 1)} : {self.number(scope, depth - 1)}",
                f'lookup({{ a = {literal}, b = 7 }}, "{self.pick(["a", "b", "c"])}", {self.number(scope, depth - 1)})',
                f"tonumber({self.number(scope, depth - 1)})",
                f"[{self.number(scope, 0)}, {self.number(scope, 0)}][{self.index(2)}]",
            ]
        return str(self.pick(options))

    # ------------------------------------------------------------ blocks

    def constant(self) -> str:
        return f'"{self.size()}"'

    def locals(self, scope: _Scope, folder: str) -> str:
        lines: list[str] = []
        for _ in range(self.index(5)):
            name = self.name("l")
            kind = self.index(6)
            if kind == 0:
                lines.append(f"{name} = {self.string(scope)}")
                scope.strings.append(f"local.{name}")
            elif kind == 1:
                keys = self.keys()
                lines.append(f"{name} = {self.map(scope, keys, 2)}")
                scope.maps.append((f"local.{name}", keys))
            elif kind == 2:
                length = 1 + self.index(3)
                lines.append(f"{name} = {self.list(scope, length, 2)}")
                scope.lists.append((f"local.{name}", length))
            elif kind == 3:
                names = self.keys()
                lines.append(f"{name} = {self.servers(scope, names, optional=False)}")
                scope.servers.append((f"local.{name}", names))
            elif kind == 4:
                lines.append(f"{name} = {self.data_file(scope, folder, f'local.{name}')}")
            else:
                keys = self.keys()
                step = self.pick(["inner", "outer"])
                lines.append(f"{name} = {{ deep = {{ {step} = {self.map(scope, keys, 1)} }} }}")
                scope.maps.append((f"local.{name}.deep.{step}", keys))
        if self.workspace and self.chance(50):
            name = self.name("l")
            lines.append(f"{name} = {self.object(scope, ('default', 'prod', 'stage'), 1)}[terraform.workspace]")
            scope.strings.append(f"local.{name}")
        return "locals {\n" + "".join(f"  {line}\n" for line in lines) + "}\n" if lines else ""

    def data_file(self, scope: _Scope, folder: str, text: str) -> str:
        """jsondecode or yamldecode of a file of the module's folder."""
        keys, stem = self.keys(), self.name("data")
        values = {key: self.size() for key in keys}
        scope.maps.append((f"{text}.sizes", keys))
        if self.chance(50):
            self.files[f"{folder}/{stem}.json"] = (
                json.dumps({"note": "m5.large", "sizes": values}, indent=self.pick([None, 2])) + "\n"
            )
            return f'jsondecode(file("${{path.module}}/{stem}.json"))'
        quote = self.pick(["", '"', "'"])
        rows = [f'  "{key}": {quote}{value}{quote}' for key, value in values.items()]
        if self.chance(30):
            first, *rest = rows
            rows = [first.replace(": ", ": &one "), *(row.split(": ")[0] + ": *one" for row in rest[:1]), *rest[1:]]
        self.files[f"{folder}/{stem}.yaml"] = "# m5.large\nsizes:\n" + "\n".join(rows) + "\n"
        return f'yamldecode(file("${{path.module}}/{stem}.yaml"))'

    def resource(self, scope: _Scope) -> str:
        kind = str(self.pick(["aws_instance", "aws_instance", *SIZED]))
        name = self.name("r")
        attribute = "type" if kind == "aws_ebs_volume" else SIZED[kind][0]
        meta, inner, step = "", scope, ""
        shape = self.index(6)
        if shape == 1:
            number, length = 1 + self.index(3), 1 + self.index(3)
            picked = f"element({self.list(scope, length, 1)}, count.index)"
            meta, inner, step = f"count = {number}", scope.within(strings=[picked]), f"[{self.index(number)}]"
        elif shape == 2:
            keys = self.keys()
            meta, inner = f"for_each = {self.map(scope, keys, 2)}", scope.within(strings=["each.value"])
            step = f'["{self.pick(keys)}"]'
        elif shape == 3:
            keys = self.keys()
            meta = "for_each = toset([" + ", ".join(f'"{key}"' for key in keys) + "])"
            inner, step = scope.within(strings=[f"{self.map(scope, keys, 1)}[each.key]"]), f'["{self.pick(keys)}"]'
        elif shape == 4 and scope.servers:
            text, _ = self.pick(scope.servers)
            condition = self.pick(["", " if server.enabled"])
            meta = f"for_each = {{ for server in {text} : server.name => server{condition} }}"
            inner, step = scope.within(strings=["each.value.type"]), None
        lines = [meta] if meta else []
        if kind == "aws_autoscaling_group":
            lines += [f"min_size = {self.number(inner)}", f"max_size = {self.number(inner)}"]
        else:
            lines.append(f"{attribute} = {self.string(inner)}")
            if kind == "aws_ebs_volume":
                lines.append(f"size = {self.number(inner)}")
            if step is not None:
                scope.strings.append(f"{kind}.{name}{step}.{attribute}")
        if self.chance(30):
            lines.append(f'tags = {{ Name = "{name}", Note = "{attribute} = m5.large" }}')
        if self.chance(20):
            lines.insert(0, f'# {attribute} = "m5.large"')
        if self.chance(15):
            lines.append(f'user_data = <<-EOT\n    {attribute} = "m5.large"\n  EOT')
        return f'resource "{kind}" "{name}" {{\n' + "".join(f"  {line}\n" for line in lines) + "}\n"

    def json_resource(self, scope: _Scope) -> str:
        """A resource in JSON syntax, as a file's text."""
        expression = self.string(scope, 2)
        value = self.size() if self.chance(50) else f"${{{expression}}}"
        name = self.name("j")
        scope.strings.append(f"aws_instance.{name}.instance_type")
        return json.dumps({"resource": {"aws_instance": {name: {"//": "m5.large", "instance_type": value}}}}, indent=2) + "\n"

    def call(self, scope: _Scope, module: _Module, source: str) -> str:
        name, meta, inner, step = self.name("m"), "", scope, ""
        shape = self.index(4)
        if shape == 2:
            keys = self.keys()
            meta, inner = f"for_each = {self.object(scope, keys, 1)}", scope.within(strings=["each.value"])
            step = f'["{self.pick(keys)}"]'
        elif shape == 3:
            number = 1 + self.index(2)
            meta = f"count = {number}"
            inner = scope.within(strings=[f"element({self.list(scope, 2, 1)}, count.index)"])
            step = f"[{self.index(number)}]"
        lines = [f'source = "{source}"', *([meta] if meta else [])]
        lines += [f"{variable} = {self.string(inner)}" for variable in module.strings]
        for variable in module.defaulted:
            if self.chance(50):
                lines.append(f"{variable} = {self.pick(['null', self.string(inner)])}")
        lines += [f"{variable} = {self.map(inner, keys, 2)}" for variable, keys in module.maps]
        lines += [f"{variable} = {self.servers(inner, names, optional=True)}" for variable, names in module.servers]
        scope.strings += [f"module.{name}{step}.{output}" for output in module.outputs]
        scope.maps += [(f"module.{name}{step}.{output}", keys) for output, keys in module.map_outputs]
        return f'module "{name}" {{\n' + "".join(f"  {line}\n" for line in lines) + "}\n"

    # ------------------------------------------------------------ folders

    def module(self, folder: str) -> _Module:
        module, scope, parts = _Module(folder), _Scope(), []
        if self.chance(70):
            variable = self.name("v")
            module.strings.append(variable)
            scope.strings.append(f"var.{variable}")
            parts.append(f'variable "{variable}" {{\n{self.pick(["", "  type = string" + chr(10)])}}}\n')
        if self.chance(50):
            variable = self.name("v")
            module.defaulted.append(variable)
            scope.strings.append(f"var.{variable}")
            parts.append(
                f'variable "{variable}" {{\n  type     = string\n  nullable = false\n  default  = {self.constant()}\n}}\n'
            )
        if self.chance(40):
            variable, keys = self.name("v"), self.keys()
            module.maps.append((variable, keys))
            scope.maps.append((f"var.{variable}", keys))
            parts.append(f'variable "{variable}" {{\n  type = map(string)\n}}\n')
        if self.chance(40):
            variable, keys = self.name("v"), self.keys()
            module.servers.append((variable, keys))
            scope.servers.append((f"var.{variable}", keys))
            optional = f"type = optional(string, {self.constant()}), enabled = optional(bool, true)"
            parts.append(f'variable "{variable}" {{\n  type = list(object({{ name = string, {optional} }}))\n}}\n')
        parts.append(self.locals(scope, folder))
        if self.modules and self.chance(50):
            inner = self.pick(self.modules)
            parts.append(self.call(scope, inner, f"../{inner.folder.rpartition('/')[2]}"))
        for _ in range(1 + self.index(2)):
            parts.append(self.resource(scope))
        if self.chance(60):
            output = self.name("o")
            module.outputs.append(output)
            parts.append(f'output "{output}" {{\n  value = {self.string(scope)}\n}}\n')
        if self.chance(30):
            output, keys = self.name("o"), self.keys()
            module.map_outputs.append((output, keys))
            parts.append(f'output "{output}" {{\n  value = {self.map(scope, keys, 1)}\n}}\n')
        self.spread(folder, parts)
        return module

    def spread(self, folder: str, parts: Sequence[str]) -> None:
        """Blocks into one file, or into several."""
        kept = [part for part in parts if part]
        if self.chance(40):
            for number, part in enumerate(kept):
                self.files[f"{folder}/{'abc'[number % 3]}.tf"] = self.files.get(f"{folder}/{'abc'[number % 3]}.tf", "") + part
        else:
            self.files[f"{folder}/main.tf"] = "\n".join(kept)

    def variables(self, scope: _Scope, root: str) -> tuple[list[str], tuple[str, ...]]:
        """Root variables with values at one of the places, or at several."""
        parts: list[str] = []
        places: dict[str, list[str]] = {
            "terraform.tfvars": [],
            "a.auto.tfvars": [],
            "b.auto.tfvars": [],
            "../env/prod.tfvars": [],
        }
        for _ in range(self.index(5)):
            name, kind = self.name("v"), self.index(5)
            if kind == 0:
                value, note = self.constant, "string"
                scope.strings.append(f"var.{name}")
            elif kind == 1:
                keys = self.keys()
                note = "map(string)"
                scope.maps.append((f"var.{name}", keys))

                def value(keys: Sequence[str] = keys) -> str:
                    return "{ " + ", ".join(f'"{key}" = {self.constant()}' for key in keys) + " }"
            elif kind == 2:
                length = 1 + self.index(3)
                note = "list(string)"
                scope.lists.append((f"var.{name}", length))

                def value(length: int = length) -> str:
                    return "[" + ", ".join(self.constant() for _ in range(length)) + "]"
            elif kind == 3:
                note = "number"
                scope.numbers.append(f"var.{name}")

                def value() -> str:
                    return str(self.pick([f"{1 + self.index(9)}", f'"{1 + self.index(9)}"']))
            else:
                note = "bool"
                scope.flags.append(f"var.{name}")

                def value() -> str:
                    return str(self.pick(["true", "false"]))

            chosen = [place for place in places if self.chance(25)]
            default = f"  default = {value()}\n" if not chosen or self.chance(60) else ""
            typed = f"  type    = {note}\n" if self.chance(60) or kind == 3 else ""
            parts.append(f'variable "{name}" {{\n{typed}{default}}}\n')
            for place in chosen:
                places[place].append(f"{name} = {value()}\n")
        for place, lines in places.items():
            if lines and not place.startswith(".."):
                self.files[f"{root}/{place}"] = "# m5.large\n" + "".join(lines)
        if not places["../env/prod.tfvars"]:
            return parts, ()
        self.files["env/prod.tfvars"] = "".join(places["../env/prod.tfvars"])
        return parts, ("../env/prod.tfvars",)

    def repository(self) -> Repository:
        self.workspace = self.pick([None, None, "prod"])
        for number in range(self.index(4)):
            self.modules.append(self.module(f"modules/{'abc'[number]}"))
        root, scope = "live", _Scope()
        parts, var_files = self.variables(scope, root)
        parts.append(self.locals(scope, root))
        for module in self.modules:
            for _ in range(1 + self.chance(30)):
                parts.append(self.call(scope, module, f"../{module.folder}"))
        if self.chance(20):
            self.files[f"{root}/extra.tf.json"] = self.json_resource(scope)
        for _ in range(1 + self.index(4)):
            parts.append(self.resource(scope))
        name = self.name("r")
        parts.append(f'resource "aws_instance" "{name}" {{\n  instance_type = {self.string(scope)}\n}}\n')
        if self.chance(15):
            self.files[f"{root}/z_override.tf"] = (
                f'resource "aws_instance" "{name}" {{\n  instance_type = {self.constant()}\n}}\n'
            )
        self.spread(root, parts)
        files = {path: self.encoded(path, text) for path, text in sorted(self.files.items())}
        return Repository(files, root, var_files, self.workspace)

    def encoded(self, path: str, text: str) -> bytes:
        if self.chance(10):
            text = text.replace("\n", "\r\n")
        if path.endswith((".tf", ".tfvars")) and self.chance(5):
            text = "\ufeff" + text
        if "<<-EOT" not in text and path.endswith((".tf", ".tfvars")) and self.chance(10):
            text = text.rstrip("\r\n")
        return text.encode()
