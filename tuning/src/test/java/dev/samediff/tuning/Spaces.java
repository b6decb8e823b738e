package dev.samediff.tuning;

import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.Parameter;
import dev.samediff.tuning.space.ParameterValues;
import dev.samediff.tuning.space.Range;
import java.util.List;

/** Spaces and trials of tests. */
public final class Spaces {
    /** Two methods, gamma for one of them, three more parameters of every kind. */
    public static final AdapterSpace MIXED = AdapterSpace.of(
            Parameter.of("method", new Range.Choice(List.of("sorsa", "lora"))),
            Parameter.of("schedule", new Range.Choice(List.of("cosine"))),
            Parameter.of("rank", new Range.Choice(List.of(2L, 4L, 8L))),
            Parameter.of("gamma", new Range.LogUniform(1e-5, 1e-1)).when("method", "sorsa"),
            Parameter.of("batch", new Range.Integers(4, 32)),
            Parameter.of("eta", new Range.LogUniform(1e-4, 1e-1)));

    private Spaces() {}

    /** How far a point of {@link #MIXED} is from the best one: method sorsa, rank 8, gamma 1e-3, eta 1e-2. */
    public static double distance(ParameterValues values) {
        double gamma = values.number("gamma")
                .map(value -> Math.pow(Math.log10(value) + 3, 2))
                .orElse(4.0);
        double eta = Math.log10(values.number("eta").orElseThrow()) + 2;
        double rank = 3 - Math.log(values.number("rank").orElseThrow()) / Math.log(2);
        return gamma + 4 * eta * eta + rank;
    }

    /** Reports a falling curve and ends at {@link #distance}. */
    public static double curve(TrialContext context) {
        double end = distance(context.parameters());
        for (int step = 1; step <= 8; step++) {
            context.report(step, end + 2.0 / step);
            context.stopIfHopeless();
        }
        return end;
    }
}
