package dev.samediff.tuning.tpe;

import java.util.random.RandomGenerator;

/** Kernels over cells: a whole number is as likely as its cell is heavy. */
record WholeDensity(Cells cells, Kernels kernels) implements Density {
    @Override
    public double sample(RandomGenerator random) {
        return cells.align(kernels.sample(random));
    }

    @Override
    public double logAt(double u) {
        long cell = cells.of(u);
        return Math.log(kernels.massIn(cells.low(cell), cells.high(cell)));
    }
}
