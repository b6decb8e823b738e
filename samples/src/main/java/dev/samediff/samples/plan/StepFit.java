package dev.samediff.samples.plan;

/**
 * The memory of intermediate results by the sizes of a batch: it grows linearly with the texts, and with their tokens linearly and, by the
 * scores of attention, as their square.
 *
 * @param fixed bytes that do not grow
 * @param perToken bytes of a token
 * @param perPair bytes of two tokens of one text
 */
record StepFit(double fixed, double perToken, double perPair) {
    /**
     * Finds the growth from three compiled steps of one text.
     *
     * @param length tokens of the longest; the others have half and a quarter of it
     * @param whole bytes of the longest
     * @param half bytes of half the tokens
     * @param quarter bytes of a quarter of the tokens
     */
    static StepFit of(long length, long whole, long half, long quarter) {
        double tokens = length;
        double first = whole - half; // p T/2 + q T^2 3/4
        double second = half - quarter; // p T/4 + q T^2 3/16
        double square = Math.max(0, (first - 2 * second) / (tokens * tokens * 3 / 8));
        double linear = (first - square * tokens * tokens * 3 / 4) / (tokens / 2);
        return new StepFit(
                Math.max(0, whole - linear * tokens - square * tokens * tokens), Math.max(0, linear), square);
    }

    /** Returns the bytes of a step. */
    double bytes(double texts, double length) {
        return fixed + texts * (perToken * length + perPair * length * length);
    }

    /** Returns the most texts of a length that need no more; 0 if not even one. */
    long texts(double most, double length) {
        double each = bytes(1, length) - fixed;
        return each <= 0 ? Long.MAX_VALUE : Math.max(0, (long) Math.floor((most - fixed) / each));
    }

    /** Returns the most tokens that one text may have to need no more; 0 if there is no room at all. */
    long length(double most) {
        double room = most - fixed;
        if (room <= 0) {
            return 0;
        }
        if (perPair <= 0) {
            return perToken <= 0 ? Long.MAX_VALUE : (long) Math.floor(room / perToken);
        }
        double root = Math.sqrt(perToken * perToken + 4 * perPair * room);
        return (long) Math.floor((root - perToken) / (2 * perPair));
    }
}
