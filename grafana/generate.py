"""Writes the dashboards that `boards` describes to dashboards/*.json. With --check it writes nothing, and fails where a
file is not what it would write."""

import argparse
import json
import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from boards import compare, load_client, service

FOLDER = Path(__file__).parent / "dashboards"
BOARDS = {"compare.json": compare.board, "service.json": service.board, "load-client.json": load_client.board}


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file would change")
    check = parser.parse_args().check
    stale = []
    for name, board in BOARDS.items():
        path = FOLDER / name
        made = json.dumps(board(), cls=JSONEncoder, indent=2, ensure_ascii=False) + "\n"
        if path.is_file() and path.read_text() == made:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(made)
    if check and stale:
        print(f"not what boards/ describes: {', '.join(stale)}; run grafana/python grafana/generate.py", file=sys.stderr)
        return 1
    print("unchanged" if not stale else f"written: {', '.join(stale)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
