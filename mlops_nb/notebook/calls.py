"""What calls do: tables for the well-known, the worst case for the rest, magics by name."""

from __future__ import annotations

import ast
from abc import abstractmethod

from mlops_nb.notebook import effects
from mlops_nb.notebook.expressions import ExpressionWalker
from mlops_nb.notebook.flow import LateFlow
from mlops_nb.notebook.magics import (
    CODE_CELL_MAGICS,
    CODE_LINE_MAGICS,
    DISPLAY_MAGICS,
    FILE_MAGICS,
    PACKAGE_MAGICS,
    SCRIPT_MAGICS,
    MagicCall,
    is_shell,
    parse_cell,
    read_magic,
    read_option,
    split_command,
    strip_options,
)
from mlops_nb.notebook.sharing import MAYBE, PART, SAME
from mlops_nb.notebook.values import NOTHING, PARAMETER, Value, join_late, merge


class CallWalker(ExpressionWalker):
    """Adds calls to the walk over expressions."""

    def visit_call(self, node: ast.Call) -> Value:
        """Evaluate a call by what is known of the callable."""
        func = node.func
        if (magic := read_magic(node)) is not None and not self.hides("get_ipython"):
            return self.run_magic(magic, node)
        if isinstance(func, ast.Name) and not self.hides(func.id):
            special = _SPECIAL.get(func.id)
            if special is not None and special(self, node):
                return NOTHING
        if isinstance(func, ast.Attribute):
            if self.is_namespace(func.value):
                return self.call_namespace(func.attr, node)
            receiver = self.visit(func.value)
            if not receiver.path:
                return self.call_method(receiver, func.attr, node)
            path: str | None = f"{receiver.path}.{func.attr}"
            callee = Value(receiver.shares, receiver.late, path)
        else:
            callee = self.load_callee(func)
            path = callee.path
        values, named = self.visit_arguments(node)
        self.node = node
        if path is not None:
            return self.call_path(path, values, named)
        return self.call_value(callee, node, values, named)

    def load_callee(self, func: ast.expr) -> Value:
        """Evaluate what is called."""
        return self.load(func.id, is_call=True) if isinstance(func, ast.Name) else self.visit(func)

    def hides(self, name: str) -> bool:
        """Tell whether the notebook has its own variable of a builtin's name."""
        if name in self.bound or name in self.known.names or name in self.found.written:
            return True
        return any(name in frame for frame in self.frames)

    def visit_arguments(self, node: ast.Call) -> tuple[list[Value], dict[str | None, Value]]:
        """Evaluate the arguments of a call."""
        values = self.visit_all(node.args)
        return values, {item.arg: self.visit(item.value) for item in node.keywords}

    def consume_all(self, values: list[Value]) -> None:
        """Note that what is called may read to its end any iterator that it is given."""
        for value in values:
            self.consume(value)

    def call_path(self, path: str, values: list[Value], named: dict[str | None, Value]) -> Value:
        """Call a builtin or a member of a module."""
        everything = [*values, *named.values()]
        last = path.rpartition(".")[2]
        if path in effects.MUTATING_FUNCTIONS or (last.endswith("_") and not last.endswith("__")):
            self.rule = f"{path}() changes its first argument"
            if values:
                self.change(values[0])
            return merge(everything, PART)
        if "out" in named:
            self.rule = f"{path}() writes into what is given as 'out'"
            self.change(named["out"])
        if path in effects.PURE_BUILTINS:
            return self.call_builtin(path, values, everything)
        self.consume_all(everything)
        if effects.is_under(path, effects.FRESH_MODULES):
            return NOTHING
        is_pure = effects.is_under(path, effects.PURE_MODULES)
        self.rule = f"it is passed to {path}(), of which nothing is known"
        if not is_pure and not last[:1].isupper():  # a class keeps its arguments, rarely more
            for value in everything:
                self.change(value, is_sure=False)
        result = merge(everything, PART)
        is_iterator = path in effects.ITERATOR_BUILTINS or path.endswith(".reader")
        return Value(result.shares, result.late, None, is_iterator)

    def call_builtin(self, name: str, values: list[Value], everything: list[Value]) -> Value:
        """Call a builtin that leaves its arguments as they are, iterators aside."""
        if name in effects.CONSUMING_BUILTINS:
            lazily = name in ("enumerate", "filter", "map", "zip")
            for value in values:
                if not lazily:
                    self.consume(value)
        if name not in effects.HOLDING_BUILTINS and name not in effects.ITERATOR_BUILTINS:
            return NOTHING
        result = merge(everything, PART)
        is_iterator = name in effects.ITERATOR_BUILTINS
        if is_iterator and not any(value.is_iterator for value in values):
            return Value(result.shares, result.late, None, is_iterator=True)
        return Value(result.shares, result.late, None, is_iterator)

    def call_method(self, receiver: Value, name: str, node: ast.Call) -> Value:
        """Call a method of an object."""
        values, named = self.visit_arguments(node)
        self.node = node
        everything = [*values, *named.values()]
        self.consume_all(everything)
        in_place = effects.IN_PLACE_ARGUMENTS & {item for item in named if item}
        is_mutator = name in effects.MUTATING_METHODS or (
            name.endswith("_") and not name.startswith("_")
        )
        if is_mutator or any(_may_be_true(node, word) for word in in_place):
            reach = PART if name in effects.REACHING_METHODS else SAME
            self.rule = f".{name}() changes its object" + ("" if is_mutator else " in place")
            self.change(receiver, reach=reach)
            self.hold(receiver, everything)
            if name in effects.SELF_METHODS:
                return merge([receiver, merge(everything, MAYBE)])
            return merge([merge([receiver], PART), merge(everything, MAYBE)])
        if name in effects.FRESH_METHODS:
            return NOTHING
        if name in effects.VIEW_METHODS:
            return merge([receiver], PART)
        self.rule = f"of the method .{name}() nothing is known"
        self.change(receiver, is_sure=False)
        self.rule = f"it is passed to the method .{name}(), of which nothing is known"
        for value in everything:
            self.change(value, is_sure=False)
        self.hold(receiver, everything, MAYBE)
        return merge([merge([receiver], PART), merge(everything, MAYBE)])

    def hold(self, receiver: Value, values: list[Value], strength: int = PART) -> None:
        """Note that an object may keep values that were given to it."""
        for name, known in receiver.shares.items():
            if known < PART:
                continue
            for value in values:
                for other, shared in value.shares.items():
                    self.known.sharing.link(name, other, min(shared, strength))
                if value.late:
                    held = self.known.late.get(name, ())
                    self.known.late[name] = join_late(held, value.late)

    def call_value(
        self, callee: Value, node: ast.Call, values: list[Value], named: dict[str | None, Value]
    ) -> Value:
        """Call a function of the notebook, or an object of unknown kind."""
        everything = [*values, *named.values()]
        self.consume_all(everything)
        flow = self.find_function(node.func)
        called = ast.unparse(node.func) if self.causes is not None else ""
        self.rule = f"it is passed to {called}(), of which nothing is known"
        if flow is None:
            for value in everything:
                self.change(value, is_sure=False)
            if not (isinstance(node.func, ast.Name) and node.func.id in self.known.late):
                self.rule = "it is called, and may be an object with a state"
                self.change(callee, is_sure=False)
            return merge([merge([callee], PART), merge(everything, MAYBE)])
        if _is_spread(node):
            for value in everything:
                self.change(value, is_sure=False)
        else:
            for parameter, value in _match(flow, values, named):
                self.rule = f"{called}() changes its parameter {parameter!r}"
                if parameter in flow.mutated_parameters:
                    self.change(value)
                elif parameter not in flow.kept_parameters:
                    self.change(value, is_sure=False)
        returned = [Value({name: SAME for name in flow.reads if not name.startswith(PARAMETER)})]
        if flow.returns_code:  # an instance or a closure keeps what it was given
            return merge([merge([callee, *everything], PART), merge(returned, MAYBE)])
        return merge([merge(returned, MAYBE), merge(everything, MAYBE)])

    def find_function(self, func: ast.expr) -> LateFlow | None:
        """Give what a plain function of the notebook does, where it is surely that one."""
        if not isinstance(func, ast.Name) or any(func.id in frame for frame in self.frames):
            return None
        flows = self.known.late.get(func.id, ())
        return flows[0] if len(flows) == 1 else None

    # ------------------------------------------------------------------ the namespace itself

    def call_namespace(self, method: str, node: ast.Call) -> Value:
        """Call a method of ``globals()``."""
        values, named = self.visit_arguments(node)
        first = node.args[0] if node.args else None
        if method == "update" and not values and None not in named:
            for name, value in named.items():
                self.bind_name(str(name), value)
            return NOTHING
        if method == "get" and isinstance(first, ast.Constant) and isinstance(first.value, str):
            return self.load(first.value)
        if method in ("keys", "copy", "items", "values", "get"):
            self.add_opaque(f"globals().{method}()")
            return NOTHING
        self.add_opaque(f"globals().{method}() changes variables")
        return NOTHING

    def call_exec(self, node: ast.Call) -> bool:
        """Read the code of a constant ``exec`` or ``eval``; any other is opaque."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        first = node.args[0] if len(node.args) == 1 else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            try:
                if name == "eval":
                    self.visit(ast.parse(first.value.strip(), mode="eval").body)
                    return True
                if self.is_cell and not self.frames:
                    self.run_code(first.value)
                    return True
            except SyntaxError:
                pass
        self.visit_arguments(node)
        self.add_opaque(f"{name}() of computed code")
        return True

    def call_namespace_function(self, node: ast.Call) -> bool:
        """Note that the whole namespace is handed out."""
        if self.is_namespace(node):
            self.add_opaque(f"{ast.unparse(node)} as a value")
            return True
        return False

    # ------------------------------------------------------------------ IPython

    def run_code(self, source: str, offset: int = 0) -> None:
        """Walk code that runs in the notebook's namespace; it begins ``offset`` lines below."""
        line = self.line
        body = parse_cell(source).body
        for statement in body if offset else ():
            ast.increment_lineno(statement, offset)
        self.walk_statements(body)
        self.line = line

    @abstractmethod
    def walk_statements(self, body: list[ast.stmt]) -> None:
        """Walk statements in order."""

    def run_magic(self, magic: MagicCall, node: ast.Call) -> Value:
        """Do what a magic or a shell escape does to variables."""
        if magic.kind in ("system", "capture_output"):
            self.expand(magic.line)
        elif magic.kind == "line":
            self.run_line_magic(magic)
        elif magic.kind == "cell":
            self.run_cell_magic(magic)
        elif not (is_shell(node) and magic.name == "get_ipython"):
            self.visit_arguments(node)
            self.add_opaque(f"get_ipython().{magic.name}()")
        else:
            self.add_opaque("get_ipython() as a value")
        return NOTHING

    def expand(self, text: str) -> None:
        """Read the variables in a shell command; words of the shell are not variables."""
        for fragment in split_command(text):
            node = fragment.expression
            if node is None:
                continue
            names = {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}
            is_word = isinstance(node, ast.Name) and node.id.isupper()  # $HOME, $PATH
            if not is_word or names & (self.known.names | self.found.written):
                self.visit(node)

    def run_line_magic(self, magic: MagicCall) -> None:
        """Do what a line magic does."""
        if magic.name in CODE_LINE_MAGICS:
            self.run_code(strip_options(magic.line, "nrtpTDlsf"))
        elif magic.name in (*SCRIPT_MAGICS, *PACKAGE_MAGICS, "cd", "env", "set_env"):
            self.expand(magic.line)
        elif magic.name == "store" and "-r" not in magic.line.split():
            for word in magic.line.split():
                if word.isidentifier():
                    self.load(word)
        elif magic.name not in DISPLAY_MAGICS:
            self.add_opaque(f"%{magic.name}")

    def run_cell_magic(self, magic: MagicCall) -> None:
        """Do what a cell magic does."""
        self.expand(magic.line)
        for option in ("--out", "--err", "--proc"):
            if magic.name in SCRIPT_MAGICS and (name := read_option(magic.line, option)):
                self.bind_name(name, NOTHING)
        if magic.name in CODE_CELL_MAGICS:
            if magic.name in ("timeit", "time") and magic.line.strip():
                statement = strip_options(magic.line, "nrtp")
                self.run_code(statement)
            try:
                self.run_code(magic.body, self.line)
            except SyntaxError as error:
                self.add_opaque(f"%%{magic.name} holds a syntax error ({error.msg})")
            if magic.name == "capture":
                name = strip_options(magic.line)
                if name.isidentifier():
                    self.bind_name(name, NOTHING)
        elif magic.name not in SCRIPT_MAGICS | FILE_MAGICS | DISPLAY_MAGICS:
            self.add_opaque(f"%%{magic.name}")


_SPECIAL = {
    "exec": CallWalker.call_exec,
    "eval": CallWalker.call_exec,
    "globals": CallWalker.call_namespace_function,
    "locals": CallWalker.call_namespace_function,
    "vars": CallWalker.call_namespace_function,
}


def _may_be_true(node: ast.Call, word: str) -> bool:
    """Tell whether an argument may switch on work in place."""
    for item in node.keywords:
        if item.arg == word:
            return not (isinstance(item.value, ast.Constant) and item.value.value is False)
    return False


def _is_spread(node: ast.Call) -> bool:
    """Tell whether arguments come out of containers."""
    return any(isinstance(item, ast.Starred) for item in node.args) or any(
        item.arg is None for item in node.keywords
    )


def _match(
    flow: LateFlow, values: list[Value], named: dict[str | None, Value]
) -> list[tuple[str, Value]]:
    """Pair arguments with parameters; what has no known parameter gets an unknown one."""
    names = [*flow.parameters, *[""] * len(values)]
    pairs = list(zip(names, values, strict=False))
    return pairs + [(name or "", value) for name, value in named.items()]
