"""The mean course of a day in a string's signals: the room warms up in the afternoon, a site works by day."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bms_generate.string_levels import Signals

_DAY_NS = 86_400 * 10**9
# A daily course needs days to be averaged over, and readings a day to have a shape.
_LEAST_DAYS, _LEAST_PER_DAY = 3.0, 8
# It is kept where it explains this share of a signal's variance.
_COURSE_WORTH = 0.05


class DailyCourse:
    """The mean course of a day, over all strings and days."""

    def fit(
        self,
        strings: Sequence[Signals],
        excursions: Sequence[NDArray[np.float64]],
        eventful: Sequence[NDArray[np.bool_]],
    ) -> "DailyCourse":
        """Average by the time of day, in bins as wide as the usual step and at least half an hour."""
        signals = excursions[0].shape[1]
        step = int(np.median(np.diff(strings[0].stamps).astype("int64")))
        days = max(int((s.stamps[-1] - s.stamps[0]).astype("int64")) for s in strings) / _DAY_NS
        self.bins = max(1, _DAY_NS // max(step, _DAY_NS // 48)) if days >= _LEAST_DAYS else 1
        self.values = np.zeros((self.bins, signals))
        if self.bins < _LEAST_PER_DAY:
            self.bins, self.values = 1, np.zeros((1, signals))
        clock = np.concatenate(
            [self._clock(s.stamps)[~away] for s, away in zip(strings, eventful, strict=True)]
        )
        calm = np.concatenate([values[~away] for values, away in zip(excursions, eventful, strict=True)])
        mean = calm.mean(axis=0)
        calm = calm - mean
        counts = np.bincount(clock, minlength=self.bins)
        for number in range(signals):
            sums = np.bincount(clock, calm[:, number], minlength=self.bins)
            course = sums / np.maximum(counts, 1)
            if np.var(course[clock]) > _COURSE_WORTH * np.var(calm[:, number]):
                self.values[:, number] = course
        self.values += mean
        return self

    def at(self, stamps: NDArray[np.datetime64]) -> NDArray[np.float64]:
        """Return the course at time stamps, shape (moments, signals)."""
        return self.values[self._clock(stamps)]

    def _clock(self, stamps: NDArray[np.datetime64]) -> NDArray[np.intp]:
        return stamps.astype("datetime64[ns]").astype("int64") % _DAY_NS * self.bins // _DAY_NS
