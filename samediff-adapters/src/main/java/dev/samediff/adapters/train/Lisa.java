package dev.samediff.adapters.train;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/**
 * LISA (Pan et al. 2024, arXiv 2403.17919, algorithm 1): of the model's layers only some are trained, others every {@code interval}
 * updates; what belongs to no layer (embeddings, the head, the last normalisation) is trained always. A layer that was not among the
 * last ones begins with fresh moments and a fresh count of AdamW's steps, so that moments take memory for the layers of the moment only.
 * The draws are without replacement, all layers being as likely, and depend on the plan's seed alone.
 *
 * <p>A tensor's layer is what its name says up to the first part that is a number: {@code transformer.h.3} of
 * {@code transformer.h.3.mlp.c_fc.weight}. The gradient norm for clipping is that of the trained layers. Engines compute the gradients of
 * all layers nevertheless.
 *
 * @param layers layers at a time, gamma of the paper
 * @param interval updates for which they stay, K of the paper
 */
public record Lisa(int layers, int interval) implements Subspace {
    private static final int INTERVAL = 20;
    private static final long MIX = 0x9E3779B97F4A7C15L;

    public Lisa {
        if (layers < 1 || interval < 1) {
            throw new InvalidInputException("LISA with " + layers + " layers at a time, others every " + interval
                    + " updates, is not possible; give 1 or more of both");
        }
    }

    /** Returns LISA with so many layers at a time, others every 20 updates. */
    public static Lisa layers(int layers) {
        return new Lisa(layers, INTERVAL);
    }

    /** Returns this with layers that stay for so many updates. */
    public Lisa withInterval(int updates) {
        return new Lisa(layers, updates);
    }

    /** Returns the layer that a tensor belongs to by its name, if it belongs to one. */
    public static Optional<String> layerOf(String tensor) {
        String[] parts = tensor.split("\\.", -1);
        int end = 0;
        for (int i = 0; i < parts.length - 1; i++) {
            end += parts[i].length();
            if (!parts[i].isEmpty() && parts[i].chars().allMatch(Character::isDigit)) {
                return Optional.of(tensor.substring(0, end));
            }
            end++;
        }
        return Optional.empty();
    }

    /**
     * Returns the layers of some tensors, sorted.
     *
     * @throws InvalidInputException if they are fewer than are trained at a time
     */
    public Set<String> layersOf(List<String> tensors) {
        Set<String> all = new TreeSet<>();
        tensors.forEach(tensor -> layerOf(tensor).ifPresent(all::add));
        if (all.size() < layers) {
            throw new InvalidInputException("LISA shall train " + layers
                    + " layers at a time, and the trained tensors have "
                    + all.size() + " " + all + "; give fewer. A layer is what a name says up to its first number, as"
                    + " transformer.h.3 in transformer.h.3.mlp.c_fc.weight");
        }
        return all;
    }

    /**
     * Returns the layers that are trained in an update.
     *
     * @param all all layers, sorted
     * @param update the update, from 1
     * @param seed the plan's seed
     */
    public Set<String> drawn(Set<String> all, long update, long seed) {
        List<String> order = new ArrayList<>(all);
        Collections.shuffle(order, new Random(seed * MIX + (update - 1) / interval));
        return new TreeSet<>(order.subList(0, layers));
    }
}
