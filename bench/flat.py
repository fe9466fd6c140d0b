"""Whether a figure that was sampled for a long time grows: a straight line through it, by least squares.

Samples are not independent: a value goes up and down like a saw while files are merged. So the line goes through the
medians of BLOCKS equal spans of time, and the confidence interval (95 %, Student's t) is that of these medians. What
counts is the growth over the whole run as a ratio of the level:

    grows     even the lower end of the interval is above the limit
    flat      the upper end is below the limit
    unclear   neither: the run was too short or too restless to tell"""

import dataclasses
import math
import statistics

BLOCKS = 20
BLOCKS_MIN = 8
# Student's t for 95 %, two-sided, by degrees of freedom.
STUDENT = {6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 10: 2.228, 11: 2.201, 12: 2.179, 13: 2.160, 14: 2.145, 15: 2.131}
STUDENT |= {16: 2.120, 17: 2.110, 18: 2.101}


@dataclasses.dataclass(frozen=True)
class Line:
    level: float  # the median
    slope_per_hour: float
    error_per_hour: float  # half of the confidence interval
    growth_low: float  # over the run, as a ratio of the level
    growth_high: float
    limit: float  # of the same, with the allowance included
    verdict: str


def medians(samples, blocks=BLOCKS):
    """[(seconds, median)] of equal spans of time that have samples; samples: [(seconds, value)]."""
    first, last = samples[0][0], samples[-1][0]
    spans = {}
    for when, value in samples:
        spans.setdefault(min(int((when - first) / (last - first) * blocks), blocks - 1), []).append((when, value))
    return [
        (statistics.mean(when for when, _ in span), statistics.median(value for _, value in span))
        for _, span in sorted(spans.items())
    ]


def line(samples, ratio, allowance=0):
    """`ratio`: the growth over the run that is allowed, of the level; `allowance`: or this much in the figure's own
    unit, if that is more. Refuses samples that are too few to say anything."""
    points = medians(samples) if len(samples) > 1 and samples[-1][0] > samples[0][0] else []
    if len(points) < BLOCKS_MIN:
        raise ValueError(f"{len(points)} spans of time have samples, at least {BLOCKS_MIN} are needed: run it for longer")
    when = [point[0] for point in points]
    values = [point[1] for point in points]
    slope, start = statistics.linear_regression(when, values)
    rest = sum((value - start - slope * moment) ** 2 for moment, value in points)
    spread = sum((moment - statistics.mean(when)) ** 2 for moment in when)
    error = STUDENT[len(points) - 2] * math.sqrt(rest / (len(points) - 2) / spread)
    level = statistics.median(values)
    scale = (samples[-1][0] - samples[0][0]) / max(level, 1e-9)
    low, high = (slope - error) * scale, (slope + error) * scale
    limit = max(ratio, allowance / max(level, 1e-9))
    verdict = "grows" if low > limit else "flat" if high <= limit else "unclear"
    return Line(level, slope * 3600, error * 3600, low, high, limit, verdict)


def as_text(lines):
    """lines: {name: Line}"""
    text = "| figure | level | slope per hour | 95 % | growth over the run | limit | |\n|---|---|---|---|---|---|---|\n"
    for name, one in lines.items():
        text += f"| {name} | {one.level:,.4g} | {one.slope_per_hour:+,.3g} | ± {one.error_per_hour:,.2g} "
        text += f"| {one.growth_low:+.1%} to {one.growth_high:+.1%} | {one.limit:+.0%} | {one.verdict} |\n"
    return text
