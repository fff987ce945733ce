"""`lakehouse identity rebuild`: everybody compared anew, and what differs from what stood."""

from __future__ import annotations

import json
import time
from dataclasses import asdict

import typer

from orchestration.cli.identity_file import tell
from orchestration.cli.printing import Json, print_table


def rebuild(as_json: bool = Json) -> None:
    """Compare all patient records anew and show what differs from what runs left: nothing, where they were right; else exit code 1."""
    from orchestration.preparing import prepare_root
    from orchestration.rebuilding import rebuild_identity
    from orchestration.settings import load_settings

    settings, begun = load_settings(), time.monotonic()
    found = rebuild_identity(prepare_root(settings), settings, lambda step: tell(begun, step))
    differences = [asdict(one) for one in found.differences]
    if as_json:
        print(json.dumps({"compared": found.resolution.compared, "same": found.is_same, "differences": differences, "moved": found.moved}))
    else:
        print_table(differences, ["table", "rows", "gone", "came"], as_json=False)
        print(f"{found.resolution.compared:,} records compared anew in {time.monotonic() - begun:.0f} s: "
              + ("nothing differs." if found.is_same else f"{found.resolution.moved:,} records changed their person."))
        if not found.is_same:
            print_table(found.moved, ["patient_key", "person_before", "person_now"], as_json=False)
            print("What was found now holds. Next: lakehouse identity history KEY; marts follow with lakehouse materialize.")
    if not found.is_same:
        raise typer.Exit(1)
