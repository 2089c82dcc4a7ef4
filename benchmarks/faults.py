"""What a batch leaves behind when it is disturbed: python benchmarks/faults.py [--kills 200] [--seed 1]

Every run is a process of its own, `python -m sdr2hdr convert`, with nets so small that it takes seconds. It is
killed (SIGKILL) at random moments, and meets full and read-only disks, sources and folders that disappear, and too
little memory. After each: whatever has its final name is whole and equals, byte for byte, what an undisturbed run
makes; the same command, given once more, completes the set; nothing else is left over. Exit status 1 if not.
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import fault_kinds
from fault_room import FORMATS, Room, outputs, parts, unique

CHAIN = 10  # kills before a run may end


class Kills:
    """SIGKILL at random moments: one in five anywhere from the start of the process, the others while it works."""

    def __init__(self, room: Room, rng: random.Random) -> None:
        self.room = room
        self.rng = rng
        self.counts: Counter[str] = Counter()
        self.found: list[str] = []

    def chain(self, name: str, kills: int) -> int:
        """Kill the same batch until its set is complete or there are enough kills, then let it end; kills done."""
        target = self.room.folder / f"killed-{name}"
        done = 0
        while done < kills and len(outputs(target)) < len(self.room.expected[name]):
            self.kill(target, name)
            done += 1
        self.found += self.room.completed(target, name)
        self.counts["runs that completed a set"] += 1
        shutil.rmtree(target, ignore_errors=True)
        return done

    def kill(self, target: Path, name: str) -> None:
        """One run, one kill."""
        before, already = set(parts(target)), len(outputs(target))
        process = self.room.start(target, name, "--jobs", self.rng.choice("12"))
        self._moment(process, target, already)
        ended = process.poll() is not None
        process.kill()
        process.communicate()
        made = len(outputs(target)) - already
        when = "after the end" if ended else "before the first result" if not made else "among the results"
        self.counts["kills"] += 1
        self.counts[when] += 1
        self.counts["of all: in the middle of a write (a .part is left)"] += bool(set(parts(target)) - before)
        self.found += self.room.partial(target, name)

    def _moment(self, process: "subprocess.Popen[str]", target: Path, already: int) -> None:
        """Wait for the moment to kill."""
        begun = time.monotonic()
        how = self.rng.random()
        if how < 0.2:
            deadline = begun + self.rng.uniform(0, 4)
        elif how < 0.6:
            while process.poll() is None and len(outputs(target)) == already:
                time.sleep(0.002)
            deadline = time.monotonic() + self.rng.uniform(0, 0.5)
        else:  # writes are short: one is lain in wait for, without sleeping
            deadline = self._write(process, target) + self.rng.uniform(0, 0.001)
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.0001)

    def _write(self, process: "subprocess.Popen[str]", target: Path) -> float:
        """The moment when some file begins to be written, not always the first."""
        seen = set(parts(target))
        left = self.rng.randint(1, 3)
        while process.poll() is None:
            if not target.is_dir():
                time.sleep(0.01)
                continue
            if new := set(parts(target)) - seen:
                seen |= new
                left -= 1
                if not left:
                    break
        return time.monotonic()


def table(title: str, counts: Counter[str], found: list[str]) -> int:
    """Print them; how many findings there are."""
    print(f"\n{title}")
    for what, count in counts.items():
        print(f"{count:7d}  {what}")
    found = unique(found)
    print(f"{len(found):7d}  findings")
    for one in found:
        print(f"         - {one}")
    sys.stdout.flush()
    return len(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--weights", type=Path, help="a folder of small nets; made if it is not given")
    parser.add_argument("--only", choices=["kills", *fault_kinds.KINDS], action="append")
    options = parser.parse_args()
    wanted = options.only or ["kills", *fault_kinds.KINDS]
    findings = 0
    with tempfile.TemporaryDirectory() as folder:
        room = Room(Path(folder), options.seed, options.weights)
        begun = time.monotonic()
        names = list(FORMATS) if options.kills > CHAIN or "kills" not in wanted else ["exr"]
        for name in names:
            room.undisturbed(name)
        print(f"an undisturbed run takes {(time.monotonic() - begun) / len(names):.1f} s")
        if "kills" in wanted:
            kills = Kills(room, random.Random(options.seed))
            done = 0
            while done < options.kills:
                names = names[1:] + names[:1]
                done += kills.chain(names[0], min(CHAIN, options.kills - done))
                print(f"{kills.counts['kills']} kills, {len(kills.found)} findings", flush=True)
            findings += table("SIGKILL", kills.counts, kills.found)
        for kind in fault_kinds.KINDS:
            if kind in wanted:
                counts, found = fault_kinds.KINDS[kind](room)
                findings += table(kind, counts, found)
    print(f"\n{findings} findings")
    return int(findings > 0)


if __name__ == "__main__":
    sys.exit(main())
