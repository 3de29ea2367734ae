"""What the comparisons share: contenders that take turns, ratios with their quartiles, and how busy other programs were."""
import os
import statistics
import time
from pathlib import Path


class Contender:
    """One side with one setting; `kind` is None for Hourglass."""

    def __init__(self, process, threads, kind=None):
        self.process, self.threads, self.kind = process, threads, kind
        self.seconds = []  # by round, of the last measurement

    @property
    def median(self):
        return statistics.median(self.seconds)


def take_turns(contenders, turn, random, most, fewest, seconds):
    """At most `most` rounds, in each of them seconds from `turn(contender)` for all contenders in random order; at least
    `fewest`, where those do not take four times `seconds`: on a machine that is too busy to tell anything."""
    for contender in contenders:
        contender.seconds = []
    start = time.monotonic()
    for count in range(most):
        passed = time.monotonic() - start
        if passed > seconds and (count >= fewest or passed > 4 * seconds):
            break
        for contender in random.sample(contenders, len(contenders)):
            contender.seconds.append(turn(contender))


def repeats_for(turn, seconds):
    """How often a turn must repeat what it does to last so long, where `turn(repeats)` gives seconds for one."""
    count = 1
    for _ in range(2):  # the first turn finds cold caches and sleeping threads
        count = max(1, min(100000, int(seconds / turn(count)) + 1))
    return count


def spread(values):
    """Lower quartile, median, upper quartile."""
    values = sorted(values)
    at = lambda fraction: fraction * (len(values) - 1)
    pick = lambda x: values[int(x)] + (x - int(x)) * (values[min(int(x) + 1, len(values) - 1)] - values[int(x)])
    return [pick(at(fraction)) for fraction in (0.25, 0.5, 0.75)]


def ratios(above, below):
    return spread(x / y for x, y in zip(above.seconds, below.seconds))


def shown(quartiles):
    low, median, high = quartiles
    return f"{median:.2f} ({low:.2f} to {high:.2f})"


class Meter:
    """Processors that other programs kept busy since it was made; /proc/stat counts ticks of all processors. What has
    ended of our processes counts as ours, and `alive`, which must not end before the question."""

    def __init__(self, alive=()):
        self.alive = alive
        self.start, self.busy, self.ours = time.monotonic(), self._busy(), self._ours()

    def others(self):
        return max(0.0, (self._busy() - self.busy - self._ours() + self.ours) / (time.monotonic() - self.start))

    @staticmethod
    def _busy():
        return _ticks("/proc/stat", 1, [0, 1, 2, 5, 6, 7])

    def _ours(self):
        return sum(os.times()[:4]) + sum(process.cpu_seconds() for process in self.alive)


def _ticks(file, first, columns):
    words = Path(file).read_text().splitlines()[0].rpartition(")")[2].split()[first:]
    return sum(int(words[column]) for column in columns) / os.sysconf("SC_CLK_TCK")


def cpu_seconds(process_id):
    """Of a process that is alive, in user and kernel mode: words 14 and 15 of proc_pid_stat(5)."""
    return _ticks(f"/proc/{process_id}/stat", 11, [0, 1])
