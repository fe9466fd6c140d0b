"""The judgement of bench/soak.py about a figure that was sampled for a long time (bench/flat.py)."""

import random

import flat
import pytest

HOUR_S = 3600
LEVEL = 80


def samples(growth, noise=0.0, saw=0.0, seconds=HOUR_S):
    """Every two seconds: a line that grows by `growth` of its level, random noise, and a saw of ten seconds."""
    chance = random.Random(1)
    for when in range(0, seconds, 2):
        value = LEVEL * (1 + growth * when / seconds)
        yield when, value + chance.gauss(0, noise) + saw * (when % 10) / 10


@pytest.mark.parametrize("noise, saw", [(0, 0), (20, 0), (0, 40), (10, 20)])
@pytest.mark.parametrize("growth, verdict", [(0, "flat"), (0.02, "flat"), (0.3, "grows"), (-0.3, "flat")])
def test_a_growing_figure_differs_from_a_restless_one(growth, noise, saw, verdict):
    line = flat.line(list(samples(growth, noise, saw)), ratio=0.1)

    assert line.verdict == verdict
    assert line.growth_low < line.growth_high or noise == 0


def test_a_slope_has_its_confidence_interval():
    line = flat.line(list(samples(0.5, noise=5)), ratio=0.1)

    assert abs(line.slope_per_hour - LEVEL * 0.5) <= 2 * line.error_per_hour
    assert 0 < line.error_per_hour < LEVEL * 0.1


def test_what_is_too_restless_to_tell_is_unclear():
    steps = [(when, LEVEL * (1 + (when // 300) % 2)) for when in range(0, HOUR_S, 2)]

    assert flat.line(steps, ratio=0.1).verdict == "unclear"


def test_one_more_thread_is_allowed_and_two_are_not():
    def threads(more):
        return [(when, 16 + (more if when > HOUR_S / 2 else 0)) for when in range(0, HOUR_S, 2)]

    assert flat.line(threads(1), 0, allowance=2).verdict == "flat"
    assert flat.line(threads(4), 0, allowance=1).verdict == "grows"


def test_too_few_samples_say_nothing():
    with pytest.raises(ValueError, match="run it for longer"):
        flat.line(list(samples(0, seconds=10)), ratio=0.1)
