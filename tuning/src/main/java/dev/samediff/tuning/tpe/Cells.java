package dev.samediff.tuning.tpe;

/**
 * The unit interval in cells of equal width, one for each value.
 *
 * @param count how many
 */
record Cells(long count) {
    /** Returns the number of the cell that a point lies in, from 0; 1 lies in the last one. */
    long of(double u) {
        return Math.min(count - 1, (long) (u * count));
    }

    double low(long cell) {
        return (double) cell / count;
    }

    double high(long cell) {
        return (double) (cell + 1) / count;
    }

    double middle(long cell) {
        return (cell + 0.5) / count;
    }

    /** Returns the middle of the cell that a point lies in. */
    double align(double u) {
        return middle(of(u));
    }
}
