package dev.samediff.tuning.tpe;

import java.util.random.RandomGenerator;

/** Kernels as they are. The prior is everywhere above 0, so that the logarithm is finite. */
record ContinuousDensity(Kernels kernels) implements Density {
    @Override
    public double sample(RandomGenerator random) {
        return kernels.sample(random);
    }

    @Override
    public double logAt(double u) {
        return Math.log(kernels.densityAt(u));
    }
}
