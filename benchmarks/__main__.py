"""Every comparison in one run: ``make bench``, or ``python -m benchmarks [ITEM ...] [--json]``.

Components are built and compiled before anything is timed, once; the first run therefore takes some
minutes longer. A line is printed as soon as it is measured. Close what else is running: the ratios of
two measurements forgive a busy machine, threads do not.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator

from benchmarks import codec, database, instant, loading, peers, scenarios, server, store, threads
from benchmarks.table import Row, lines, machine

ITEMS: dict[str, Callable[[], Iterator[Row]]] = {
    "abcfg": codec.rows,
    "de": peers.rows,
    "h": threads.rows,
    "i": loading.rows,
    "jk": instant.rows,
    "s": scenarios.rows,
    "ABCDEFGHIJ": database.rows,
    "tvwx": store.rows,
    "LMNOPQ": server.rows,
}
"""What measures which items."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("items", nargs="*", help="letters, such as a or h; all where left out")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    given = parser.parse_args()
    asked = "".join(given.items) or "".join(ITEMS)
    unknown = set(asked) - set("".join(ITEMS))
    if unknown:
        parser.error(f"no such item: {', '.join(sorted(unknown))}; there are {''.join(ITEMS)}")
    measured: list[Row] = []

    def rows() -> Iterator[Row]:
        for letters, measure in ITEMS.items():
            if not set(letters) & set(asked):
                continue
            for row in measure():
                if row.item in asked:
                    measured.append(row)
                    yield row

    if given.json:
        found = [row.as_json() for row in rows()]
        print(json.dumps({"machine": machine(), "rows": found}, indent=2))
    else:
        print(f"{machine()}\n")
        for line in lines(rows()):
            print(line, flush=True)
    missed = [row for row in measured if row.verdict == "MISSED"]
    if missed and not given.json:
        print(f"\n{len(missed)} of {sum(bool(row.target) for row in measured)} targets missed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
