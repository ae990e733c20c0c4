"""The syntax tree of PowerShell by an independent grammar: errors, nodes, and the values of literals.

The grammar knows nothing of PowerShell's smart quotes: that a script is ASCII is tested apart.
"""

from __future__ import annotations

import tree_sitter
import tree_sitter_powershell

LANGUAGE = tree_sitter.Language(tree_sitter_powershell.language())


def parse(source):
    """The root of a script's syntax tree (the script as bytes)."""
    return tree_sitter.Parser(LANGUAGE).parse(source).root_node


def errors_of(source):
    """Where the grammar does not accept the script: (line, text) for each error node."""
    found = []
    stack = [parse(source)]
    while stack:
        node = stack.pop()
        if node.type == "ERROR" or node.is_missing:
            found.append((node.start_point[0] + 1, source[node.start_byte : node.end_byte][:80]))
        elif node.has_error:
            stack.extend(node.children)
    return sorted(found)


def nodes_of(root, *types):
    """All nodes of these types below a node, in the order of the script."""
    found = []
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type in types:
            found.append(node)
        stack.extend(reversed(node.children))
    return found


def literal_of(node):
    """The value of an expression of literals: text, `$true`, `$false`, `@( )`, `@{ }`, sums, and `[char]0x...`.

    Anything else is an assertion error: data holds nothing that PowerShell would have to look up.
    """
    children = [child for child in node.named_children if child.type != "comment"]
    match node.type:
        case "string_literal":
            assert children[0].type == "verbatim_string_characters", node.text
            return node.text.decode("ascii")[1:-1].replace("''", "'")
        case "variable":
            return {b"$true": True, b"$false": False}[node.text]
        case "cast_expression":
            assert children[0].text == b"[char]", node.text
            return int(children[1].text, 16)
        case "additive_expression" if len(children) > 1:
            left, right = (literal_of(child) for child in children)
            assert isinstance(left, str), "the first operand decides what + means"
            return left + (chr(right) if isinstance(right, int) else right)
        case "array_literal_expression" if len(children) > 1:
            return [literal_of(child) for child in children]
        case "array_expression":
            statements = [s for child in children for s in child.named_children]
            values = [literal_of(statement) for statement in statements]
            return values[0] if len(values) == 1 and isinstance(values[0], list) else values
        case "hash_literal_expression":
            entries = [entry for body in children for entry in body.named_children if entry.type == "hash_entry"]
            return {entry.named_children[0].text.decode(): literal_of(entry.named_children[1]) for entry in entries}
    assert len(children) == 1, (node.type, node.text[:60])
    return literal_of(children[0])


def assignments_of(root):
    """The values that a script of literals assigns: name to value, with UTF-16 halves put together."""
    found = {}
    for statement in nodes_of(root, "assignment_expression"):
        left, _, right = statement.named_children
        found[left.text.decode().lstrip("$")] = whole(literal_of(right))
    return found


def whole(value):
    """A value with each pair of UTF-16 halves as the one character that it is."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    return value
