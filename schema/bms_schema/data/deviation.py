"""Each reading against its string at the same moment: deviation from the median, in units and in robust sigmas."""

import numpy as np

MAD_TO_SIGMA = 1.4826  # consistency factor of the median absolute deviation for a normal distribution
SMALLEST_CELLS = 3  # below three cells a median cannot tell which one deviates


def string_deviation(
    values: np.ndarray, moments: np.ndarray, smallest_sigma: float
) -> tuple[np.ndarray, np.ndarray]:
    """Judge each reading against its string at the same moment.

    Args:
        values: Readings, shape (n,), NaN = none.
        moments: From `moment_codes`, shape (n,).
        smallest_sigma: Floor of the robust sigma, in the unit of `values`.

    Returns:
        (value - median, the same over the robust sigma), each (n,); NaN where fewer than three cells answered.

    >>> string_deviation(np.array([2.20, 2.20, 2.10]), np.zeros(3), 0.002)[0].round(3).tolist()
    [0.0, 0.0, -0.1]
    """
    return deviation_within(values, moment_matrices(moments), smallest_sigma)


def moment_matrices(moments: np.ndarray, smallest: int = SMALLEST_CELLS) -> list[np.ndarray]:
    """Return the rows of each moment, moments with as many rows together: a list of (moments, rows) positions.

    Matrices let every moment of a fleet be sorted at once, without padding. Moments of fewer than `smallest`
    rows are left out.

    >>> [rows.tolist() for rows in moment_matrices(np.array([7, 7, 5, 7]))]
    [[[0, 1, 3]]]
    """
    order = np.argsort(moments, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(moments[order]) != 0]) if len(order) else order
    sizes = np.diff(np.append(starts, len(order)))
    return [
        order[starts[sizes == size][:, None] + np.arange(size)]
        for size in np.unique(sizes)
        if size >= smallest
    ]


def deviation_within(
    values: np.ndarray, matrices: list[np.ndarray], smallest_sigma: float
) -> tuple[np.ndarray, np.ndarray]:
    """Do what `string_deviation` does, for moments laid out once by `moment_matrices`."""
    deviation, robust_z = np.full(len(values), np.nan), np.full(len(values), np.nan)
    with np.errstate(invalid="ignore"):
        for rows in matrices:
            readings = values[rows]
            enough = (~np.isnan(readings)).sum(axis=1) >= SMALLEST_CELLS
            from_median = readings - np.where(enough, row_medians(readings), np.nan)[:, None]
            sigma = MAD_TO_SIGMA * row_medians(np.abs(from_median))[:, None]
            deviation[rows] = from_median
            robust_z[rows] = from_median / np.maximum(sigma, smallest_sigma)
    return deviation, robust_z


def row_medians(readings: np.ndarray) -> np.ndarray:
    """Return the median of each row, shape (rows,), NaN left out; many times as fast as np.nanmedian.

    >>> row_medians(np.array([[3.0, 1.0, np.nan], [np.nan, np.nan, np.nan]])).tolist()
    [2.0, nan]
    """
    ascending = np.sort(readings, axis=1)  # NaN last
    known = (~np.isnan(ascending)).sum(axis=1)
    row = np.arange(len(ascending))
    lower, upper = np.maximum(known - 1, 0) // 2, np.minimum(known // 2, ascending.shape[1] - 1)
    return np.asarray((ascending[row, lower] + ascending[row, upper]) / 2)
