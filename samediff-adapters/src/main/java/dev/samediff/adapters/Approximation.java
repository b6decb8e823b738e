package dev.samediff.adapters;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An adapter of a chosen rank in place of another, and how far it is from it.
 *
 * @param state a plain LoRA
 * @param errors relative error of each layer's weight change by module, {@code ||D - D_r|| / ||D||} by Frobenius norms; 0 where
 *     nothing is left out
 * @param error the same over all layers together
 */
public record Approximation(AdapterState state, Map<String, Double> errors, double error) {
    public Approximation {
        errors = Collections.unmodifiableMap(new LinkedHashMap<>(errors));
    }

    /** Collects the errors of layers. */
    static final class Errors {
        private final Map<String, Double> byModule = new LinkedHashMap<>();
        private double lost;
        private double all;

        void add(String module, double layerLost, double layerAll) {
            byModule.put(module, relative(layerLost, layerAll));
            lost += layerLost;
            all += layerAll;
        }

        private static double relative(double part, double whole) {
            return whole == 0 ? 0 : Math.sqrt(part / whole);
        }

        Approximation of(AdapterState state) {
            return new Approximation(state, byModule, relative(lost, all));
        }
    }
}
