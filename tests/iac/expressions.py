"""Random closed expressions of HCL: literals, operators, functions, conditionals, for expressions, traversals.

Many are errors, as they should be: an error must be one for Terraform and for the editor alike.
"""

from __future__ import annotations

import random

STRINGS = ("m5.large", "t3.micro", "a", "b", "prod", "x-y", "", "2", "10", "true", " pad ", "a,b", "A.b", "é")
NUMBERS = ("0", "1", "2", "3", "10", "2.5", "-1", "1e2")
NAMES = ("a", "b", "prod", "x-y")

_CALLS = tuple(
    """
    lower(S)
    upper(S)
    trimspace(S)
    title(S)
    strrev(S)
    chomp(S)
    length(X)
    tostring(E)
    tonumber(E)
    tobool(E)
    split(S, S)
    join(S, LS)
    format("%s", E)
    format("%s-%d", S, N)
    format("%02d", N)
    substr(S, N, N)
    replace(S, S, S)
    trimprefix(S, S)
    trimsuffix(S, S)
    trim(S, S)
    startswith(S, S)
    endswith(S, S)
    strcontains(S, S)
    regex("[a-z]+", S)
    regexall("[a-z]", S)
    replace(S, "/[a-z]+/", S)
    coalesce(E, E)
    coalesce(E, E, E)
    element(L, N)
    lookup(M, S, E)
    lookup(M, S)
    keys(M)
    values(M)
    merge(M, M)
    concat(L, L)
    flatten([L, L])
    distinct(LS)
    compact(LS)
    slice(L, N, N)
    sort(LS)
    reverse(L)
    range(N)
    range(N, N)
    zipmap(LS, LS)
    chunklist(L, N)
    setproduct(LS, LS)
    setunion(LS, LS)
    setintersection(LS, LS)
    setsubtract(LS, LS)
    toset(LS)
    tolist(toset(LS))
    tomap(M)
    contains(LS, S)
    index(LS, S)
    coalescelist(L, L)
    one([E])
    one([])
    min(N, N)
    max(N, N)
    floor(N)
    ceil(N)
    abs(N)
    pow(N, N)
    signum(N)
    sum([N, N])
    alltrue([B, B])
    anytrue([B, B])
    try(E, E)
    try(M.a, E)
    try(L[0], E)
    can(E)
    can(M.a)
    jsondecode(jsonencode(E))
    parseint(S, 10)
    formatlist(S, LS)
    element(LS...)
    max([N, N]...)
    merge([M, M]...)
    nonsensitive(E)
    basename("x/y")
    dirname("x/y")
    yamldecode("a: b")
    """.strip()
    .replace("    ", "")
    .split("\n")
)


class Expressions:
    """Draws expressions from a seed; the same seed draws the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def draw(self, depth: int = 3) -> str:
        """Any expression."""
        pick = self._random.choice
        if depth <= 0:
            return pick((self._string, self._number, self._bool, self._null))()
        return pick((self._string, self._number, self._list, self._map, self._call, self._call, self._conditional, self._binary,
                     self._for, self._traversal, self._template, self._bool))(depth)  # fmt: skip

    def _string(self, depth: int = 0) -> str:
        if depth > 0 and self._random.random() < 0.4:
            return self._random.choice((self._template, self._conditional_string))(depth - 1)
        return f'"{self._random.choice(STRINGS)}"'

    def _number(self, depth: int = 0) -> str:
        if depth > 0 and self._random.random() < 0.3:
            return f"({self._number(depth - 1)} {self._random.choice('+-*/%')} {self._number(depth - 1)})"
        return self._random.choice(NUMBERS)

    def _bool(self, depth: int = 0) -> str:
        if depth > 0:
            left, right = self._number(depth - 1), self._number(depth - 1)
            return self._random.choice(
                (
                    f"({left} {self._random.choice(('<', '<=', '>', '>='))} {right})",
                    f"({self.draw(depth - 1)} {self._random.choice(('==', '!='))} {self.draw(depth - 1)})",
                    f"({self._bool(depth - 1)} {self._random.choice(('&&', '||'))} {self._bool(depth - 1)})",
                    f"!{self._bool(depth - 1)}",
                )
            )
        return self._random.choice(("true", "false"))

    def _null(self, depth: int = 0) -> str:
        return "null"

    def _strings(self, depth: int) -> str:
        return f"[{', '.join(self._string(depth - 1) for _ in range(self._random.randrange(4)))}]"

    def _list(self, depth: int) -> str:
        return f"[{', '.join(self.draw(depth - 1) for _ in range(self._random.randrange(4)))}]"

    def _map(self, depth: int) -> str:
        names = self._random.sample(NAMES, self._random.randrange(1, 4))
        keys = [self._random.choice((f'"{name}"', name, f'("{name}")')) for name in names]
        return f"{{ {', '.join(f'{key} = {self.draw(depth - 1)}' for key in keys)} }}"

    def _call(self, depth: int) -> str:
        made = ""
        shape = self._random.choice(_CALLS)
        place = 0
        while place < len(shape):
            if shape.startswith("LS", place):
                made += self._strings(depth - 1)
                place += 2
                continue
            letter = shape[place]
            is_alone = not (place and shape[place - 1].isalnum()) and not shape[place + 1 : place + 2].isalnum()
            maker = {"S": self._string, "N": self._number, "E": self.draw, "L": self._list, "M": self._map, "B": self._bool,
                     "X": lambda d: self._random.choice((self._string, self._list, self._map))(d)}.get(letter)  # fmt: skip
            made += maker(depth - 1) if maker and is_alone else letter
            place += 1
        return made

    def _conditional(self, depth: int) -> str:
        return f"{self._bool(depth - 1)} ? {self.draw(depth - 1)} : {self.draw(depth - 1)}"

    def _conditional_string(self, depth: int) -> str:
        return f"({self._bool(depth - 1)} ? {self._string(depth - 1)} : {self._string(depth - 1)})"

    def _binary(self, depth: int) -> str:
        return self._random.choice((self._bool, self._number))(depth)

    def _template(self, depth: int) -> str:
        return f'"{self._random.choice(("", "x-", " "))}${{{self.draw(depth - 1)}}}{self._random.choice(("", "-y", " z "))}"'

    def _for(self, depth: int) -> str:
        source = self._random.choice((self._list, self._map))(depth - 1)
        condition = self._random.choice(("", "", f" if {self._random.choice(('v', 'k', '1'))} != {self._string()}"))
        value = self._random.choice(("v", "k", '"${k}-x"', "[k, v]", "{ n = v }"))
        if self._random.random() < 0.5:
            return f"[for k, v in {source} : {value}{condition}]"
        key = self._random.choice(("k", "v", '"${k}-x"', '"same"'))
        return f"{{ for k, v in {source} : {key} => {value}{self._random.choice(('', '...'))}{condition} }}"

    def _traversal(self, depth: int) -> str:
        return self._random.choice(
            (
                f"{self._map(depth - 1)}.{self._random.choice(('a', 'b'))}",
                f"{self._map(depth - 1)}[{self._string()}]",
                self._list(depth - 1) + self._random.choice(("[0]", "[1]", '["0"]')),
                f"[{self._map(0)}, {self._map(0)}][*].a",
                f"[{self._map(0)}, {self._map(0)}].*.a[0]",
                f"[{self._list(1)}, {self._list(1)}][*][0]",
            )
        )
