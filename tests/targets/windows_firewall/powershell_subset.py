"""Runs the part of PowerShell that `firewall.ps1` is written in, on the syntax tree of an independent grammar.

No PowerShell can be had from the package registries. This is not one: it knows the constructs of that script and stops
at any other, so that the script cannot leave its subset unseen. Cmdlets are Python functions (see `windows_host.py`).
"""

from __future__ import annotations

import tree_sitter
import tree_sitter_powershell

LANGUAGE = tree_sitter.Language(tree_sitter_powershell.language())


def parse(source):
    """The syntax tree of a script (bytes)."""
    return tree_sitter.Parser(LANGUAGE).parse(source)


def errors_of(source):
    """Where the grammar does not accept the script: (line, text) for each error node."""
    found = []
    stack = [parse(source).root_node]
    while stack:
        node = stack.pop()
        if node.type == "ERROR" or node.is_missing:
            found.append((node.start_point[0] + 1, source[node.start_byte : node.end_byte][:80]))
        elif node.has_error:
            stack.extend(node.children)
    return sorted(found)


class PowerShellError(Exception):
    """A terminating error, as `catch` sees it."""

    def __init__(self, message, category="NotSpecified"):
        super().__init__(message)
        self.record = {
            "Exception": {"Message": message},
            "CategoryInfo": {"Category": category},
        }


class Return(Exception):  # noqa: N818 - control flow
    """`return`, with what it gives back."""


class Continue(Exception):  # noqa: N818 - control flow
    """`continue`."""


class Hashtable(dict):
    """A hashtable: keys that are text are compared without letter case."""

    @staticmethod
    def fold(key):
        return key.casefold() if isinstance(key, str) else key

    def __init__(self, items=()):
        super().__init__()
        for key, value in items:
            self[key] = value

    def __setitem__(self, key, value):
        super().__setitem__(self.fold(key), (key, value))

    def __getitem__(self, key):
        held = super().get(self.fold(key))
        return None if held is None else held[1]

    def __contains__(self, key):
        return super().__contains__(self.fold(key))

    def pairs(self):
        return list(super().values())


class Block:
    """A script block and the scope that runs it (PowerShell's scopes are dynamic)."""

    def __init__(self, node):
        self.node = node


class Ref:
    """`[ref] $x`."""

    def __init__(self, scope, name):
        self.scope, self.name = scope, name


def unrolled(value):
    """What a value becomes in a pipeline: lists give their items, nothing gives nothing."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def collected(items):
    """What a variable gets from an output: nothing, one value, or a list."""
    return None if not items else items[0] if len(items) == 1 else list(items)


def truth(value):
    """The truth of a value."""
    if isinstance(value, list):
        return len(value) > 1 or (len(value) == 1 and truth(value[0]))
    return bool(value) if not isinstance(value, Hashtable) else True


def text_of(value):
    """A value as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, list):
        return " ".join(text_of(item) for item in value)
    return str(value)


def equal(left, right):
    """`-eq` for single values: the right side takes the type of the left, letter case does not count."""
    if left is None or right is None:
        return left is right
    if isinstance(left, str) or isinstance(right, str):
        return text_of(left).casefold() == text_of(right).casefold()
    return left == right


_CHAINS = {
    "logical_expression",
    "bitwise_expression",
    "comparison_expression",
    "additive_expression",
    "multiplicative_expression",
    "format_expression",
    "range_expression",
    "array_literal_expression",
    "unary_expression",
    "pipeline_chain",
    "pipeline",
    "argument_expression",
}


class Interpreter:
    """One session: global variables, functions of the script, and cmdlets by name.

    `cmdlets` maps a lower-case name to `function(session, positional, named, piped)`; `types` maps a lower-case type
    name to an object whose attributes are its static members.
    """

    def __init__(self, cmdlets, types, variables):
        self.cmdlets = cmdlets
        self.types = types
        self.functions = {}
        self.scopes = [dict(variables)]
        self.output = []

    def run(self, source):
        """The output of a script; raises `PowerShellError` where it ends with one."""
        assert errors_of(source) == []
        try:
            return self.statements(parse(source).root_node)
        except Return as stop:
            return [*self.output, *stop.args[0]]

    # -- variables

    def lookup(self, name):
        name = name.casefold()
        if name in {"true", "false", "null"}:
            return {"true": True, "false": False, "null": None}[name]
        if name.startswith("env:"):
            return self.scopes[0][name]
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        raise AssertionError(f"strict mode: ${name} has not been set")

    def assign(self, name, value):
        self.scopes[-1][name.casefold()] = value

    # -- statements

    def statements(self, node):
        out = []
        try:
            for child in node.named_children:
                if child.type in {"comment", "param_block"}:
                    continue
                if child.type == "statement_list":
                    out.extend(self.statements(child))
                else:
                    out.extend(self.statement(child))
        except Return as stop:
            raise Return([*out, *stop.args[0]]) from None
        return out

    def statement(self, node):
        handler = getattr(self, "do_" + node.type, None)
        if handler is not None:
            return handler(node)
        return unrolled(self.value(node))

    def do_pipeline(self, node):
        (child,) = [c for c in node.named_children if c.type != "comment"]
        return self.statement(child) if hasattr(self, "do_" + child.type) else unrolled(self.value(child))

    def do_assignment_expression(self, node):
        left, operator, right = node.named_children
        target = left
        while target.type not in {"variable", "element_access"}:
            (target,) = target.named_children
        value = self.value(right)
        if operator.text == b"+=":
            assert target.type == "variable"
            value = self.add(self.lookup(self.name_of(target)), value)
        else:
            assert operator.text == b"="
        if target.type == "variable":
            self.assign(self.name_of(target), value)
        else:
            holder, key = (self.value(c) for c in target.named_children)
            holder[key] = value
        return []

    def do_statement_block(self, node):
        return [item for child in node.named_children for item in self.statements(child)]

    def do_if_statement(self, node):
        condition, block, *rest = node.named_children
        if truth(self.value(condition)):
            return self.do_statement_block(block)
        for clause in rest:
            if clause.type == "elseif_clauses":
                for each in clause.named_children:
                    test, block = each.named_children
                    if truth(self.value(test)):
                        return self.do_statement_block(block)
            else:
                return self.do_statement_block(clause.named_children[0])
        return []

    def do_foreach_statement(self, node):
        variable, items, block = node.named_children
        out = []
        for item in unrolled(self.value(items)):
            self.assign(self.name_of(variable), item)
            try:
                out.extend(self.do_statement_block(block))
            except Continue:
                continue
        return out

    def do_for_statement(self, node):
        initial, condition, step, block = node.named_children
        self.statement(initial.named_children[0])
        out = []
        while truth(self.value(condition.named_children[0])):
            out.extend(self.do_statement_block(block))
            self.statement(step.named_children[0])
        return out

    def do_try_statement(self, node):
        block, clauses = node.named_children
        try:
            return self.do_statement_block(block)
        except PowerShellError as error:
            (clause,) = clauses.named_children
            self.scopes.append({"_": error.record, "error!": error})
            try:
                return self.in_parent(clause.named_children[0])
            finally:
                self.scopes.pop()

    def in_parent(self, block):
        """A catch block: it assigns in the scope around it, and sees `$_`."""
        inner = self.scopes.pop()
        outer = self.scopes[-1]
        before = {key: outer[key] for key in inner if key in outer}
        outer.update(inner)
        try:
            return self.do_statement_block(block)
        finally:
            for key in inner:
                outer.pop(key, None)
            outer.update(before)
            self.scopes.append(inner)

    def do_flow_control_statement(self, node):
        word = node.children[0].text.decode().casefold()
        given = node.named_children
        if word == "return":
            raise Return(unrolled(self.value(given[0])) if given else [])
        if word == "continue":
            raise Continue
        assert word == "throw", word
        if not given:
            raise self.lookup("error!")
        value = self.value(given[0])
        if isinstance(value, dict) and "Exception" in value:
            raise PowerShellError(value["Exception"]["Message"], value["CategoryInfo"]["Category"])
        raise PowerShellError(text_of(value))

    def do_function_statement(self, node):
        name, body = [c for c in node.named_children if c.type != "comment"]
        self.functions[name.text.decode().casefold()] = body
        return []

    # -- expressions

    def name_of(self, node):
        assert node.type == "variable", node.type
        return node.text.decode().lstrip("$")

    def value(self, node):
        children = node.named_children
        if node.type in _CHAINS or node.type.endswith("_argument_expression"):
            operators = [c for c in node.children if not c.is_named or c.type == "comparison_operator"]
            operands = [c for c in children if c.type not in {"comparison_operator", "comment"}]
            return self.chain(operands, [o.text.decode().casefold() for o in operators])
        return getattr(self, "see_" + node.type)(node, children)

    def chain(self, operands, operators):
        if not operators:
            (only,) = operands
            return collected(self.command(only, [])) if only.type == "command" else self.value(only)
        if operators[0] == ",":
            return [self.value(c) for c in operands]
        if operators[0] == "|":
            piped = self.command(operands[0], []) if operands[0].type == "command" else unrolled(self.value(operands[0]))
            for stage in operands[1:]:
                piped = self.command(stage, piped)
            return collected(piped)
        left = self.value(operands[0])
        for operator, operand in zip(operators, operands[1:], strict=True):
            if operator == "-and":
                left = truth(left) and truth(self.value(operand))
            elif operator == "-or":
                left = truth(left) or truth(self.value(operand))
            else:
                left = self.binary(operator, left, self.value(operand))
        return left

    def binary(self, operator, left, right):
        match operator:
            case "+":
                return self.add(left, right)
            case "-":
                return left - right
            case "-eq":
                assert not isinstance(left, list), "a list on the left of -eq filters"
                return equal(left, right)
            case "-ne":
                assert not isinstance(left, list), "a list on the left of -ne filters"
                return not equal(left, right)
            case "-lt":
                return left < right
            case "-gt":
                return left > right
            case "-band":
                return left & right
            case "-bor":
                return left | right
            case "-contains" | "-notcontains":
                return any(equal(item, right) for item in unrolled(left)) is (operator == "-contains")
            case "-match":
                import re

                return re.search(right, left, re.IGNORECASE) is not None
        raise AssertionError(operator)

    def add(self, left, right):
        if isinstance(left, str):
            return left + text_of(right)
        if isinstance(left, list):
            return [*left, *unrolled(right)]
        assert isinstance(left, int), (left, right)
        assert isinstance(right, int), (left, right)
        return left + right

    def see_variable(self, node, _children):
        return self.lookup(self.name_of(node))

    def see_string_literal(self, node, children):
        assert children[0].type == "verbatim_string_characters", "only single quotes"
        return node.text.decode("ascii")[1:-1].replace("''", "'")

    def see_integer_literal(self, node, _children):
        return int(node.text, 0)

    def see_parenthesized_expression(self, _node, children):
        return self.value(children[0])

    def see_array_expression(self, _node, children):
        return [item for child in children if child.type != "comment" for item in self.statements(child)]

    def see_hash_literal_expression(self, _node, children):
        entries = [e for body in children for e in body.named_children if e.type == "hash_entry"]
        return Hashtable((e.named_children[0].text.decode(), self.value(e.named_children[1])) for e in entries)

    def see_script_block_expression(self, _node, children):
        return Block(children[0])

    def see_expression_with_unary_operator(self, node, children):
        if children[0].type == "cast_expression":
            return self.value(children[0])
        assert node.children[0].text == b"-not", node.text
        return not truth(self.value(children[0]))

    def see_cast_expression(self, _node, children):
        kind, operand = self.type_name(children[0]), children[1]
        if kind == "ref":
            while operand.type != "variable":
                (operand,) = operand.named_children
            return Ref(self.scopes[-1], self.name_of(operand).casefold())
        return self.cast(kind, self.value(operand))

    def cast(self, kind, value):
        match kind:
            case "string":
                return text_of(value)
            case "int":
                return 0 if value is None else int(value)
            case "char":
                return chr(value)
            case "char[]":
                return [str(item) for item in unrolled(value)]
            case "hashtable" | "scriptblock":
                assert isinstance(value, Hashtable | Block)
                return value
        return self.types[kind].cast(value)

    def type_name(self, node):
        return node.text.decode().strip("[]").casefold() + ("[]" if b"[]" in node.text else "")

    def see_type_literal(self, node, _children):
        return self.types[self.type_name(node)]

    def see_member_access(self, _node, children):
        return self.member(self.value(children[0]), children[1].text.decode())

    def member(self, holder, name):
        if isinstance(holder, list) and name == "Count":
            return len(holder)
        if isinstance(holder, dict) and not isinstance(holder, Hashtable):
            for key, value in holder.items():
                if key.casefold() == name.casefold():
                    return value
        if not isinstance(holder, dict | list | str) and holder is not None and hasattr(holder, name):
            return getattr(holder, name)
        if name == "PSObject":
            return {"Properties": Hashtable((key, {"Value": value}) for key, value in holder.items())}
        raise AssertionError(f"strict mode: no property {name} on {holder!r}")

    def see_element_access(self, _node, children):
        holder, key = self.value(children[0]), self.value(children[1])
        return holder[key]

    def see_invokation_expression(self, _node, children):
        arguments = []
        if children[2].named_children:
            arguments = [self.value(a) for a in children[2].named_children[0].named_children]
        return self.call(self.value(children[0]), children[1].text.decode(), arguments)

    def call(self, holder, name, arguments):
        if isinstance(holder, str):
            return _string_method(holder, name, arguments)
        if isinstance(holder, Hashtable):
            assert name == "ContainsKey", name
            return arguments[0] in holder
        return getattr(holder, name)(*arguments)

    # -- commands

    def command(self, node, piped):
        assert node.type == "command", node.type
        positional, named, target = self.arguments(node)
        if target is not None:
            return self.cmdlets["&"](self, [target, *positional], named, piped)
        name = node.named_children[0].text.decode().casefold()
        if name in self.functions:
            return self.invoke(self.functions[name], positional, named)
        assert name in self.cmdlets, f"no cmdlet {name}"
        return unrolled(self.cmdlets[name](self, positional, named, piped))

    def arguments(self, node):
        positional, named, target, waiting = [], {}, None, None
        items = [c for e in node.named_children if e.type == "command_elements" for c in e.named_children]
        for child in node.named_children:
            if child.type == "command_name_expr":
                target = self.value(child.named_children[0].named_children[0])
        if node.named_children[0].type == "command_invokation_operator":
            assert target is not None
        for item in items:
            if item.type in {"command_argument_sep", "comment"}:
                continue
            if item.type == "command_parameter":
                if waiting is not None:
                    named[waiting] = True
                waiting = item.text.decode().lstrip("-")
                continue
            if item.text.startswith(b"@") and not item.text.startswith((b"@(", b"@{")):
                for key, value in self.lookup(item.text.decode()[1:]).pairs():
                    named[key] = value
                continue
            value = item.text.decode() if item.type == "generic_token" else self.value(item)
            if waiting is None:
                positional.append(value)
            else:
                named[waiting] = value
                waiting = None
        if waiting is not None:
            named[waiting] = True
        return positional, named, target

    def invoke(self, body, positional, named, variables=None):
        """A function or script block, in a scope of its own."""
        assert not positional
        scope = dict(variables or {})
        for child in body.named_children:
            if child.type == "param_block":
                scope.update(self.parameters(child, named))
        self.scopes.append(scope)
        try:
            return self.statements(body)
        except Return as stop:
            return stop.args[0]
        finally:
            self.scopes.pop()

    def parameters(self, block, named):
        given = {key.casefold(): value for key, value in named.items()}
        scope = {}
        for parameter in block.named_children[0].named_children:
            *types, variable = parameter.named_children
            name = self.name_of(variable).casefold()
            value = given.pop(name, None)
            kind = self.type_name(types[0].named_children[0].named_children[0]) if types else None
            scope[name] = self.cast(kind, value) if kind is not None else value
        assert not given, f"no such parameter: {given}"
        return scope


def _string_method(text, name, arguments):
    match name, arguments:
        case "Split", [separator]:
            return text.split(separator)
        case "Replace", [old, new]:
            return text.replace(old, new)
        case "Substring", [start, length]:
            assert start + length <= len(text)
            return text[start : start + length]
        case "StartsWith", [prefix, _comparison]:
            return text.startswith(prefix)
        case "Trim", [characters]:
            return text.strip("".join(characters))
        case "ToLowerInvariant", []:
            return text.lower()
    raise AssertionError((name, arguments))
