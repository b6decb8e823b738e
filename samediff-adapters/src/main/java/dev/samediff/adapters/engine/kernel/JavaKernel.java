package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.plan.Kernel;

/** A step computed in Java; checks that everything it touches has a place. */
abstract class JavaKernel implements Kernel {
    private final String description;
    private final Place[] places;

    JavaKernel(String description, Place... places) {
        this.description = description;
        this.places = places.clone();
    }

    abstract void compute();

    @Override
    public final void run() {
        for (Place place : places) {
            if (place.address() == 0) {
                throw new IllegalStateException("an operand of " + description
                        + " has no place in memory yet; call Operand.place before the kernel runs");
            }
        }
        compute();
    }

    @Override
    public final String describe() {
        return description;
    }
}
