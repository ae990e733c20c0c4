"""The command line: arguments, streams, exit statuses. Every verb imports what it needs when it runs."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from egressc import __version__
from egressc.exits import COULD_NOT_RUN, DEFECT, DONE, INTERRUPTED

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

_VERBS = {
    "compile": "policies into one folder per firewall",
    "check": "everything that compile checks, and lint; writes nothing",
    "diff": "what a change of policies means",
    "export": "proxy bypass and inspection exemption lists",
    "explain": "what happens to a flow and why, or the page of a diagnostic",
    "test": "runs policy tests (*.test.yaml)",
    "verify": "a live configuration against the policy: drift",
    "fmt": "the one canonical layout",
    "targets": "what each target can express, and what nobody could verify",
    "init": "the shipped policies and an example inventory, to start from",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; nothing is raised."""
    args = list(sys.argv[1:] if argv is None else argv)
    if args in (["--version"], ["-V"]) and sys.stdout is not None:
        # Before anything is imported: scripts ask for the version often, and it shall cost next to nothing.
        try:
            sys.stdout.write(f"egressc {__version__}\n")
            sys.stdout.flush()
        except OSError:
            return COULD_NOT_RUN
        return DONE
    from egressc.console import StreamError, complain, finish, prepare_streams  # noqa: PLC0415

    prepare_streams()
    try:
        try:
            status = _run(args)
        except SystemExit as error:  # argparse has said what there is to say
            status = error.code if isinstance(error.code, int) else DONE
        finish()
    except StreamError as error:
        complain(f"egressc: cannot write the output: {error}")
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        complain("egressc: interrupted")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort: a defect is said, never shown as a bare traceback
        from egressc.defect import describe  # noqa: PLC0415

        complain(describe(error, args))
        return DEFECT
    return status


def _run(args: list[str]) -> int:
    parser = build_parser()
    if "_ARGCOMPLETE" in os.environ:
        from egressc.completion import complete  # noqa: PLC0415

        complete(parser)
    if not args:
        parser.print_help(sys.stderr)
        return COULD_NOT_RUN
    # What stands behind `--` are PATHs for `diff`, however many revisions stand before it.
    cut = args.index("--") if args[:1] == ["diff"] and "--" in args else len(args)
    options, unknown = parser.parse_known_args(args[:cut])
    if args[:1] == ["diff"]:
        options.paths = args[cut + 1 :]
    if unknown:
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    match options.verb:
        case "compile":
            from egressc.verb_compile import run  # noqa: PLC0415
        case "check":
            from egressc.verb_check import run  # noqa: PLC0415
        case "diff":
            from egressc.verb_diff import run  # noqa: PLC0415
        case "export":
            from egressc.verb_export import run  # noqa: PLC0415
        case "explain":
            from egressc.verb_explain import run  # noqa: PLC0415
        case "test":
            from egressc.verb_test import run  # noqa: PLC0415
        case "verify":
            from egressc.verb_verify import run  # noqa: PLC0415
        case "fmt":
            from egressc.verb_fmt import run  # noqa: PLC0415
        case "targets":
            from egressc.verb_targets import run  # noqa: PLC0415
        case _:
            from egressc.verb_init import run  # noqa: PLC0415
    return run(options)


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; the reference in `docs/` is checked against its help."""
    import argparse  # noqa: PLC0415

    class Formatter(argparse.RawDescriptionHelpFormatter):
        """Help whose options stand in a column wide enough for them."""

        def __init__(self, prog: str) -> None:
            super().__init__(prog, max_help_position=32)

    class Parser(argparse.ArgumentParser):
        """A parser that suggests the verb or option that was meant."""

        def error(self, message: str) -> None:  # type: ignore[override]
            from egressc.usage import explain_usage_error  # noqa: PLC0415

            sys.stderr.write(explain_usage_error(self, message, list(_VERBS)))
            raise SystemExit(COULD_NOT_RUN)

    parser = Parser(
        prog="egressc",
        description="Compiles egress policy for Palo Alto, Azure Firewall, iptables and Windows Firewall.",
        epilog="exit status: 0 done; 1 errors in policy or inventory, or a difference; 2 could not run; "
        "70 a defect of egressc",
        formatter_class=Formatter,
        allow_abbrev=False,
    )
    parser.add_argument("-V", "--version", action="version", version=f"egressc {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=Parser)
    made = {
        name: verbs.add_parser(
            name, help=text, description=f"{text[0].upper()}{text[1:]}.", formatter_class=Formatter, allow_abbrev=False
        )
        for name, text in _VERBS.items()
    }
    paths = "a policy file, or a folder for every *.egress below it (default: this folder)"
    for name in ("compile", "check"):
        verb = made[name]
        verb.add_argument("paths", nargs="*", metavar="PATH", help=paths)
        verb.add_argument("--inventory", metavar="FILE", help="the inventory (default: inventory.yaml beside PATH)")
        verb.add_argument("--firewall", metavar="NAME", action="append", default=[], help="only this firewall")
        verb.add_argument(
            "--target",
            metavar="NAME",
            action="append",
            default=[],
            help="only this target; without an inventory, one unnamed firewall of it",
        )
        verb.add_argument(
            "--accept", metavar="REASON", action="append", default=[], help="accept an approximation everywhere"
        )
        verb.add_argument("--strict", action="store_true", help="warnings that are not accepted are errors")
        verb.add_argument("--as-of", metavar="DATE", help="the date that expiry is compared with (default: today, UTC)")
    made["compile"].add_argument(
        "-o",
        "--output",
        metavar="DIR",
        default="build",
        help="where to write (default: build); - for the main artefact of one firewall to standard output",
    )
    made["compile"].add_argument("--format", choices=("text", "json"), default="text", help="the form of the report")
    made["check"].add_argument(
        "--format", choices=("text", "json", "sarif"), default="text", help="the form of the diagnostics"
    )
    for option, what in (("select", "only these lint rules"), ("ignore", "not these lint rules")):
        made["check"].add_argument(
            f"--{option}",
            metavar="RULE[,RULE…]",
            action="append",
            default=[],
            help=f"{what}: names or codes",
        )
    made["check"].add_argument("--fix", action="store_true", help="mend in the files what lint can mend safely")
    diff = made["diff"]
    diff.usage = "egressc diff [OPTION…] OLD [NEW] [-- PATH…]"
    diff.add_argument(
        "words",
        metavar="OLD [NEW]",
        nargs="+",
        help="git revisions, files or folders; OLD..NEW is two revisions, OLD...NEW begins where they went apart; "
        "one revision alone is compared with the working tree",
    )
    diff.add_argument("--inventory", metavar="FILE", help="the inventory (default: inventory.yaml beside PATH)")
    diff.add_argument("--firewall", metavar="NAME", action="append", default=[], help="only this firewall")
    diff.add_argument("--no-firewalls", action="store_true", help="the policy alone")
    diff.add_argument("--as-of", metavar="DATE", help="the date that expiry is compared with (default: today, UTC)")
    diff.add_argument(
        "--format", choices=("text", "markdown", "json", "html"), default="text", help="the form of the report"
    )
    diff.add_argument("-o", "--output", metavar="FILE", help="where to write the report (default: standard output)")
    diff.add_argument(
        "--fail-on",
        metavar="WHAT[,WHAT…]",
        action="append",
        default=[],
        help="exit 1 if there is such a change: widened, narrowed, inspection, firewalls",
    )
    diff.add_argument(
        "--as",
        metavar="FILE",
        dest="stands_for",
        help="where in the working tree OLD and NEW belong, if they were put elsewhere",
    )
    export = made["export"]
    export.usage = (
        "egressc export [OPTION…] FORMAT [PATH…]\n       egressc export --check [OPTION…] FORMAT FILE [PATH…]"
    )
    export.add_argument("list_format", metavar="FORMAT", help="what to write; `egressc targets` lists the formats")
    export.add_argument("paths", nargs="*", default=[], metavar="PATH", help=paths)
    export.add_argument(
        "--list",
        dest="kind",
        choices=("bypass", "exemption"),
        help="what clients reach directly, or what the proxy does not open",
    )
    export.add_argument(
        "--check", action="store_true", help="read FILE, a list kept by hand, and say what it bypasses beyond or lacks"
    )
    export.add_argument("--group", metavar="NAME", action="append", default=[], help="for this group (default: all)")
    export.add_argument("--account", metavar="NAME", help="for the processes of this service account alone")
    export.add_argument("--rule", metavar="PATTERN", default="*", help="of these rules alone: POLICY/RULE, * and ?")
    export.add_argument("-o", "--output", metavar="FILE", help="where to write the list (default: standard output)")
    export.add_argument("--report", metavar="FILE", help="write what the list cannot say: FILE.json, else Markdown")
    export.add_argument("--form", metavar="NAME", help="which form, where a format has several")
    export.add_argument("--proxy", metavar="HOST:PORT", help="the proxy (default: that of the groups)")
    export.add_argument(
        "--for", dest="clients", metavar="PROGRAM[,…]", action="append", default=[], help="which programs read it"
    )
    export.add_argument("--probe-free", action="store_true", help="a PAC file that calls none of the helper functions")
    export.add_argument("--inventory", metavar="FILE", help="the inventory (default: inventory.yaml beside PATH)")
    export.add_argument("--accept", metavar="REASON", action="append", default=[], help="accept an approximation")
    export.add_argument("--strict", action="store_true", help="warnings that are not accepted are errors")
    export.add_argument("--as-of", metavar="DATE", help="the date that expiry is compared with (default: today, UTC)")
    export.add_argument("--format", choices=("text", "json"), default="text", help="the form of the report")
    explain = made["explain"]
    explain.usage = "egressc explain [OPTION…] WHO TO [PATH…]\n       egressc explain CODE…"
    explain.add_argument(
        "words",
        metavar="WHO TO [PATH…] | CODE…",
        nargs="+",
        help="WHO is GROUP[:ACCOUNT][@SOURCE]; TO is HOST:PORT[/APPLICATION], ADDRESS:PORT, [V6]:PORT or "
        f"https://HOST/PATH; PATH is {paths}; CODE is a diagnostic code, such as E0207",
    )
    explain.add_argument("--at", metavar="ADDRESS", help="the address that the name resolves to")
    explain.add_argument("--inventory", metavar="FILE", help="the inventory (default: inventory.yaml beside PATH)")
    explain.add_argument("--firewall", metavar="NAME", action="append", default=[], help="only this firewall")
    explain.add_argument("--as-of", metavar="DATE", help="the date that expiry is compared with (default: today, UTC)")
    explain.add_argument(
        "--format", choices=("text", "json", "markdown"), default="text", help="the form of the answer"
    )
    test = made["test"]
    test.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="a policy test, a policy with its test beside it, or a folder for every *.test.yaml below it "
        "(default: this folder)",
    )
    test.add_argument(
        "--inventory", metavar="FILE", help="the inventory of tests that name none (default: as the other verbs)"
    )
    test.add_argument("--as-of", metavar="DATE", help="the date for tests that name none (default: today, UTC)")
    test.add_argument("--format", choices=("text", "json", "junit"), default="text", help="the form of the report")
    test.add_argument("--junit", metavar="FILE", help="write JUnit XML to this file, too")
    verify = made["verify"]
    verify.add_argument("firewall", metavar="FIREWALL", help="as the inventory calls it; FIREWALL/GROUP for a host")
    verify.add_argument(
        "configs", nargs="+", metavar="CONFIG", help="a file of the live configuration, a folder of them, or -"
    )
    verify.add_argument("--policy", metavar="PATH", action="append", default=[], help=paths)
    verify.add_argument("--inventory", metavar="FILE", help="the inventory (default: inventory.yaml beside PATH)")
    verify.add_argument("--as-of", metavar="DATE", help="the date that expiry is compared with (default: today, UTC)")
    verify.add_argument(
        "--format", choices=("text", "json", "markdown"), default="text", help="the form of the comparison"
    )
    made["fmt"].add_argument("paths", nargs="*", metavar="PATH", help=f"{paths}; - for standard input to output")
    made["fmt"].add_argument("--check", action="store_true", help="write nothing; exit 1 if a file would change")
    made["fmt"].add_argument("--diff", action="store_true", help="write nothing; show what would change")
    made["fmt"].add_argument("--format", choices=("text", "json"), default="text", help="the form of the report")
    made["targets"].add_argument("names", nargs="*", metavar="TARGET", help="only these targets")
    made["targets"].add_argument(
        "--format", choices=("text", "markdown", "json"), default="text", help="the form of the table"
    )
    made["init"].add_argument("folder", nargs="?", metavar="DIR", default="policies", help="a new folder")
    made["init"].add_argument("--format", choices=("text", "json"), default="text", help="the form of the report")
    for verb in made.values():
        verb.set_defaults(parser=verb)
        verb.add_argument(
            "--color", choices=("auto", "always", "never"), default="auto", help="colour on a terminal (auto)"
        )
    return parser
