"""A backtracking matcher of Python's regular expressions that counts its steps: how a pattern fails, without a clock."""

import re
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]

WORD = re.compile(r"\w")
CATEGORIES = {
    op.CATEGORY_DIGIT: str.isdigit,
    op.CATEGORY_NOT_DIGIT: lambda one: not one.isdigit(),
    op.CATEGORY_SPACE: str.isspace,
    op.CATEGORY_NOT_SPACE: lambda one: not one.isspace(),
    op.CATEGORY_WORD: lambda one: WORD.match(one) is not None,
    op.CATEGORY_NOT_WORD: lambda one: WORD.match(one) is None,
}


class TooManyStepsError(Exception):
    pass


def parsed(pattern):
    """Return the tree of a compiled pattern, of text or of bytes."""
    text = pattern.pattern
    return parser.parse(text if isinstance(text, str) else text.decode("latin-1"), pattern.flags & ~re.UNICODE)


class Matcher:
    """Matches a whole text; raises `TooManyStepsError` beyond `most` steps."""

    def __init__(self, text, *, ignore_case, most):
        self.text, self.ignore_case, self.most = text, ignore_case, most
        self.steps, self.groups = 0, {}

    def fullmatch(self, tree):
        return any(end == len(self.text) for end in self.ends(list(tree), 0))

    def ends(self, nodes, at):
        """Yield each place where `nodes` can end, in the order in which they would be tried."""
        self.steps += 1
        if self.steps > self.most:
            raise TooManyStepsError
        if not nodes:
            yield at
            return
        (kind, what), rest = nodes[0], nodes[1:]
        for between in self.of_one(kind, what, at):
            yield from self.ends(rest, between)

    def of_one(self, kind, what, at):  # noqa: C901  a branch for each construct
        if kind in {op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT}:
            low, high, body = what
            found = self.repeated(list(body), low, high, at, lazy=kind is op.MIN_REPEAT)
            yield from [next(found)] if kind is op.POSSESSIVE_REPEAT else found
        elif kind is op.SUBPATTERN:
            for end in self.ends(list(what[3]), at):
                self.groups[what[0]] = self.text[at:end]
                yield end
        elif kind is op.ATOMIC_GROUP:
            yield from [next(self.ends(list(what), at))]
        elif kind is op.BRANCH:
            for one in what[1]:
                yield from self.ends(list(one), at)
        elif kind in {op.ASSERT, op.ASSERT_NOT}:
            ahead = what[0] > 0 and any(True for _ in self.ends(list(what[1]), at))
            if what[0] < 0 or ahead == (kind is op.ASSERT):  # what lies behind costs no more than its own width
                yield at
        elif kind is op.AT:
            yield at
        elif kind is op.GROUPREF:
            said = self.groups.get(what, "\0")
            if self.text.startswith(said, at):
                yield at + len(said)
        elif at < len(self.text) and self.takes(kind, what, self.text[at]):
            yield at + 1

    def repeated(self, body, low, high, at, *, lazy):
        if lazy and low <= 0:
            yield at
        if high > 0:
            for end in self.ends(body, at):
                if end > at or low > 0:
                    yield from self.repeated(body, low - 1, high - 1, end, lazy=lazy)
        if not lazy and low <= 0:
            yield at

    def takes(self, kind, what, one):
        if self.ignore_case:
            return any(_takes(kind, what, form) for form in {one.lower(), one.upper()})
        return _takes(kind, what, one)


def _takes(kind, what, one):
    if kind is op.ANY:
        return True
    if kind is op.LITERAL:
        return ord(one) == what
    if kind is op.NOT_LITERAL:
        return ord(one) != what
    if kind is op.RANGE:
        return what[0] <= ord(one) <= what[1]
    if kind is op.CATEGORY:
        return CATEGORIES[what](one)
    assert kind is op.IN, kind
    negated = what[0][0] is op.NEGATE
    return negated != any(_takes(*part, one) for part in what[negated:])


def example_of(tree, times=1):
    """Return a text that begins as one that matches."""
    return "".join(_example(kind, what, times) for kind, what in tree)


def _example(kind, what, times):
    if kind in {op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT}:
        return example_of(what[2], times) * min(max(what[0], times), what[1])
    if kind is op.SUBPATTERN:
        return example_of(what[3], times)
    if kind is op.ATOMIC_GROUP:
        return example_of(what, times)
    if kind is op.BRANCH:
        return example_of(what[1][0], times)
    if kind in {op.AT, op.ASSERT, op.ASSERT_NOT, op.GROUPREF}:
        return ""
    return next((one for one in "a0 \"-.,_A'[(:" if _takes(kind, what, one)), None) or chr(_first(kind, what))


def _first(kind, what):
    if kind is op.IN:
        return _first(*what[0])
    return what[0] if kind is op.RANGE else what


def letters_of(tree):
    """Return characters that the pattern tells apart."""
    found = []
    for kind, what in tree:
        if kind in {op.LITERAL, op.NOT_LITERAL}:
            found.append(chr(what))
        elif kind is op.RANGE:
            found.append(chr(what[0]))
        elif kind is op.IN:
            found += letters_of(what)
        elif kind in {op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT}:
            found += letters_of(what[2])
        elif kind is op.SUBPATTERN:
            found += letters_of(what[3])
        elif kind is op.ATOMIC_GROUP:
            found += letters_of(what)
        elif kind is op.BRANCH:
            found += [one for part in what[1] for one in letters_of(part)]
        elif kind in {op.ASSERT, op.ASSERT_NOT}:
            found += letters_of(what[1])
    return list(dict.fromkeys(found))
