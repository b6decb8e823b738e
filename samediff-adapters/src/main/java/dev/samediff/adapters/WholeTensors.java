package dev.samediff.adapters;

import dev.samediff.adapters.graph.ModuleMatch;
import java.util.Locale;
import java.util.Optional;

/**
 * Which tensors of a graph an adapter trains whole, beside its low-rank factors: PEFT's {@code modules_to_save} and {@code
 * bias}. Each adapter has copies of its own of them, which the graph holds in place of the caller's arrays while the adapter acts.
 *
 * @param modules modules whose weights, biases and other tensors are all trained, with everything below them; by PEFT's names,
 *     by a regular expression, or by the full name of one tensor
 * @param bias which biases are trained
 */
public record WholeTensors(Optional<ModuleMatch> modules, Bias bias) {
    /** No tensor is trained whole. */
    public static final WholeTensors NONE = new WholeTensors(Optional.empty(), Bias.NONE);

    /** Which biases are trained, in PEFT's words. */
    public enum Bias {
        /** None. */
        NONE,
        /** Every bias of the graph, those of normalisation layers too. */
        ALL,
        /** The biases of the layers that have low-rank factors. */
        LORA_ONLY;

        /** Returns PEFT's word. */
        public String text() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Returns whether nothing is trained whole. */
    public boolean isEmpty() {
        return modules.isEmpty() && bias == Bias.NONE;
    }

    /** Returns this with other modules. */
    public WholeTensors withModules(ModuleMatch newModules) {
        return new WholeTensors(Optional.of(newModules), bias);
    }

    /** Returns this with other biases. */
    public WholeTensors withBias(Bias newBias) {
        return new WholeTensors(modules, newBias);
    }
}
