"""Runs the part of PowerShell that `firewall.ps1` is written in, on the syntax tree of an independent grammar.

No PowerShell can be had from the package registries. This is not one: it knows the constructs of that script and stops
at any other, so that the script cannot leave its subset unseen. Cmdlets are Python functions (see `windows_host.py`).
"""

from __future__ import annotations

from powershell_expressions import Expressions
from powershell_tree import errors_of, parse
from powershell_values import (
    Continue,
    PowerShellError,
    Return,
    text_of,
    truth,
    unrolled,
)


class Interpreter(Expressions):
    """One session: global variables, functions of the script, and cmdlets by name.

    `cmdlets` maps a lower-case name to `function(session, positional, named, piped)`.
    """

    def __init__(self, cmdlets, types, variables):
        super().__init__(types, variables)
        self.cmdlets = cmdlets
        self.functions = {}

    def run(self, source):
        """The output of a script; raises `PowerShellError` where it ends with one."""
        assert errors_of(source) == []
        try:
            return self.statements(parse(source))
        except Return as stop:
            return stop.args[0]

    # -- statements

    def statements(self, node):
        out = []
        try:
            for child in node.named_children:
                if child.type in {"comment", "param_block", "attribute_list", "attribute"}:
                    continue
                if child.type in {"statement_list", "script_block", "script_block_body"}:
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
            scope = self.scopes[-1]
            hidden = {key: scope[key] for key in ("_", "error!") if key in scope}
            scope.update({"_": error.record, "error!": error})
            try:
                return self.do_statement_block(clause.named_children[0])
            finally:
                del scope["_"], scope["error!"]
                scope.update(hidden)

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
                named.update(self.lookup(item.text.decode()[1:]).pairs())
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
