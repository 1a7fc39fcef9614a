"""Applying a JMESPath expression to what a CRM sent, without making others wait while it goes through long lists."""

from typing import Any

from jmespath.visitor import TreeInterpreter

from bridge.sdk import give_way

_STEPS = 64


class _Interpreter(TreeInterpreter):
    """The library's, which gives way to others after every few steps."""

    def __init__(self) -> None:
        super().__init__()
        self._steps = 0  # of all threads, about

    def visit(self, node: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - the library's own signature
        self._steps += 1
        if self._steps % _STEPS == 0:
            give_way()
        return super().visit(node, *args, **options)


_INTERPRETER = _Interpreter()  # it keeps nothing of what it looks at


def found_in(data: object, tree: Any) -> object:  # noqa: ANN401 - the library's untyped tree
    """Return what a parsed expression finds in the data. Raises whatever a function in it may, and as `give_way`."""
    found: object = _INTERPRETER.visit(tree, data)
    return found
