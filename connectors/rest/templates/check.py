"""What can be wrong in a template, told before any call is made."""

import re
from collections.abc import Iterable, Iterator

from jinja2 import meta, nodes

from bridge.sdk import did_you_mean
from connectors.rest.templates.sandbox import FILTERS

_TESTS = {"defined", "undefined", "none", "in", "eq", "ne", "string", "number", "sequence", "mapping"}

_IN_SINGLE_BRACES = re.compile(r"(?<!\{)\{\s*(?P<group>[a-z_]\w*)(?P<member>\.\w+)?\s*(?:\|[^{}]*)?\}(?!\})")

_BARE = re.compile(r"(?P<sign>\$|%|<|:|\[+)?\s*(?P<group>[a-z_]\w*)(?P<member>\.\w+)?\s*(?:%|>|\]+)?")
_BARE_WITHIN = re.compile(r"(?<![\w.{$-])(?P<group>caller|hotline)\.(?P<member>\w+)\b")

_ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Const, nodes.Name),
    *(
        nodes.Getattr,
        nodes.Getitem,
        nodes.Slice,
        nodes.Filter,
        nodes.Test,
        nodes.CondExpr,
        nodes.Compare,
        nodes.Operand,
    ),
    *(nodes.And, nodes.Or, nodes.Not, nodes.Add, nodes.Sub, nodes.Neg, nodes.Concat, nodes.List, nodes.Tuple),
    *(nodes.Keyword,),
)
"""No calls (`range(10**9)`), no multiplication (`"a" * 10**9`), no macros, no files."""


def check(tree: nodes.Template, known: set[str]) -> frozenset[str]:
    """Return the names that a template reads from outside, `caller.national` both as that and as `caller`.

    Raises ValueError with the first thing that is wrong.
    """
    for node in tree.find_all(nodes.Node):
        _check_node(node)
    _check_braces(tree, known)
    read = frozenset(meta.find_undeclared_variables(tree))
    for name in sorted(read):
        if name not in _groups(known):
            raise ValueError(f"{name!r} is not known here{_remedy(name, known)}")
    for output in tree.find_all(nodes.Output):
        _check_output(output, read, known)
    used = {(group, member) for group, member in _members_used(tree) if group in read}
    for group, member in sorted(used):
        _check_member(group, member, known)
    return read | {f"{group}.{member}" for group, member in used}


def _remedy(name: str, known: set[str]) -> str:
    if f"all.{name}" in known:
        return f", for this is asked for all rows together: with once write {{{{ all.{name} }}}}"
    if name in {"settings", "secrets"}:
        return f": add '{name}:' with this name to the connector"
    if name in {"caller", "hotline", "form"}:
        return ", for this is asked ahead of any call"
    if name == "challenge":
        return ": it is for the 'request' of auth: {type: login, challenge: …}"
    return did_you_mean(name, _groups(known)) or f"; there are: {_list(_groups(known))}"


def _members_used(tree: nodes.Template) -> Iterator[tuple[str, str]]:
    """Find `caller.national` and `caller['national']`."""
    for place in tree.find_all((nodes.Getattr, nodes.Getitem)):
        match place:
            case nodes.Getattr(node=nodes.Name(name=group), attr=member):
                yield group, member
            case nodes.Getitem(node=nodes.Name(name=group), arg=nodes.Const(value=str(member))):
                yield group, member


def _check_node(node: nodes.Node) -> None:
    if isinstance(node, nodes.Call):
        raise ValueError("a template cannot call functions; use a filter: " + ", ".join(sorted(FILTERS)))  # noqa: TRY004
    if not isinstance(node, _ALLOWED):
        raise ValueError(f"a template cannot contain {type(node).__name__.lower()!r}")  # noqa: TRY004
    if isinstance(node, nodes.Name) and node.name == "loop":
        raise ValueError("'loop' is not known here")
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        raise ValueError(
            f"there is no filter {node.name!r}{did_you_mean(node.name, FILTERS) or '; there are: ' + _list(FILTERS)}"
        )
    if isinstance(node, nodes.Test) and node.name not in _TESTS:
        raise ValueError(f"there is no test {node.name!r}; there are: {_list(_TESTS)}")


def _check_member(group: str, member: str, known: set[str]) -> None:
    """Find `caller.natonal`."""
    members = _members(group, known)
    if members and member not in members:
        raise ValueError(f"{group!r} has no {member!r}{did_you_mean(member, members) or '; it has ' + _list(members)}")


def _check_braces(tree: nodes.Template, known: set[str]) -> None:
    """Find `{caller.national}`, which would be sent as it stands; GraphQL has braces of its own around its fields."""
    texts = [data.data for data in tree.find_all(nodes.TemplateData)]
    for text in texts:
        for found in _IN_SINGLE_BRACES.finditer(text):
            is_all = len(texts) == 1 and text.strip() == found[0]
            if found["group"] in _groups(known) and (found["member"] or is_all):
                raise ValueError(f"{found[0]} would be sent as it stands: write {{{found[0]}}}")
        _check_bare(text, known, alone=len(texts) == 1)


def _check_bare(text: str, known: set[str], *, alone: bool) -> None:
    """Find `caller.national` and `$caller` without braces."""
    whole = _BARE.fullmatch(text.strip()) if alone else None
    for found in [*([whole] if whole else []), *_BARE_WITHIN.finditer(text)]:
        group, member = found["group"], (found["member"] or "").removeprefix(".")
        members = _members(group, known)
        if member in members or (found is whole and found["sign"] and group in {"caller", "hotline"} and members):
            name = f"{group}.{member if member in members else 'national'}"
            raise ValueError(f"{found[0].strip()} would be sent as it stands: write {{{{ {name} }}}}")


def _check_output(output: nodes.Output, read: frozenset[str], known: set[str]) -> None:
    """Find `caller` alone where a text is needed."""
    for node in output.nodes:
        if isinstance(node, nodes.Name) and node.name in read and (members := _members(node.name, known)):
            raise ValueError(f"{node.name!r} has several values, write for example '{node.name}.{min(members)}'")


def _groups(known: Iterable[str]) -> set[str]:
    return {entry.partition(".")[0] for entry in known}


def _members(group: str, known: Iterable[str]) -> set[str]:
    return {entry.partition(".")[2] for entry in known if entry.startswith(f"{group}.")}


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
