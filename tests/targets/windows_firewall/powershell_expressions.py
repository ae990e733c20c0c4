"""The expressions of the PowerShell subset that `powershell_run.py` runs."""

from __future__ import annotations

import re

from powershell_values import Block, Hashtable, Ref, collected, equal, string_method, text_of, truth, unrolled

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


class Expressions:
    """Variables and the values of expressions; `command` and `statements` come with the interpreter.

    `types` maps a lower-case type name to an object whose attributes are its static members.
    """

    def __init__(self, types, variables):
        self.types = types
        self.scopes = [dict(variables)]

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
            piped = (
                self.command(operands[0], []) if operands[0].type == "command" else unrolled(self.value(operands[0]))
            )
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

    def see_real_literal(self, node, _children):
        return float(node.text)

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
            return string_method(holder, name, arguments)
        if isinstance(holder, Hashtable):
            assert name == "ContainsKey", name
            return arguments[0] in holder
        return getattr(holder, name)(*arguments)
