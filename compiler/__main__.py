"""`python -m egressc`: the command line."""

from __future__ import annotations

from egressc.cli import main

raise SystemExit(main())
