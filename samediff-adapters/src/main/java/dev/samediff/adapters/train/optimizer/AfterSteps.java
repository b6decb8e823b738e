package dev.samediff.adapters.train.optimizer;

import dev.samediff.adapters.AfterStep;
import dev.samediff.adapters.FollowedSites;
import dev.samediff.adapters.train.Trainable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What the methods of a trainer's adapters do after every update ({@link AfterStep}). */
public final class AfterSteps {
    private final Trainable model;
    private final List<FollowedSites> parts;
    private final Map<String, Integer> indices = new LinkedHashMap<>();

    public AfterSteps(Trainable model) {
        this.model = model;
        this.parts = model.afterSteps();
        List<String> names = model.trainableNames();
        for (FollowedSites part : parts) {
            if (part.step().corrects()) {
                continue;
            }
            part.sites()
                    .forEach(site -> site.values().forEach(variable -> indices.put(variable, names.indexOf(variable))));
        }
    }

    /** Returns whether a method changes parameters after updates. */
    public boolean act() {
        return !indices.isEmpty();
    }

    /** Says how many updates a run has. */
    public void begin(int updates) {
        parts.forEach(part -> part.step().begin(updates));
    }

    /**
     * Gradients by variable.
     *
     * @param byName copies, freed by {@link #close}
     */
    public record Gradients(Map<String, INDArray> byName) implements AutoCloseable {
        @Override
        public void close() {
            byName.values().forEach(Optimizer::free);
        }
    }

    /** Keeps the gradients that are looked at afterwards; an update ends them. */
    public Gradients gradients(Optimizer optimizer, Slope slope) {
        Map<String, INDArray> gradients = new LinkedHashMap<>();
        indices.forEach((variable, index) -> gradients.put(variable, optimizer.gradient(index, slope)));
        return new Gradients(gradients);
    }

    /**
     * Follows an update.
     *
     * @param update its number in the run, from 1
     * @param gradients with which it was made
     */
    public void updated(int update, Gradients gradients) {
        for (FollowedSites part : parts) {
            if (!part.step().corrects()) {
                part.step().updated(update, layers(part, gradients.byName()));
            }
        }
    }

    /** Lets methods change the sum of gradients that an update is made of. */
    public void correct(Optimizer optimizer) {
        for (FollowedSites part : parts) {
            if (part.step().corrects()) {
                Map<String, INDArray> sums = new LinkedHashMap<>();
                List<String> names = model.trainableNames();
                for (int i = 0; i < names.size(); i++) {
                    sums.put(names.get(i), optimizer.sum(i));
                }
                part.step().correct(layers(part, sums));
            }
        }
    }

    private List<AfterStep.Layer> layers(FollowedSites part, Map<String, INDArray> gradients) {
        List<AfterStep.Layer> layers = new ArrayList<>();
        for (int i = 0; i < part.sites().size(); i++) {
            Map<String, INDArray> values = new LinkedHashMap<>();
            Map<String, INDArray> slopes = new LinkedHashMap<>();
            part.sites().get(i).forEach((name, variable) -> {
                values.put(name, model.graph().getArrForVarName(variable));
                INDArray gradient = gradients.get(variable);
                if (gradient != null) { // of what stays as it is there is none
                    slopes.put(name, gradient);
                }
            });
            layers.add(new AfterStep.Layer(values, slopes, part.scalings().get(i)));
        }
        return layers;
    }

    /** Returns what they must know to go on, by name. */
    public Map<String, INDArray> state() {
        Map<String, INDArray> state = new LinkedHashMap<>();
        for (int i = 0; i < parts.size(); i++) {
            String prefix = i + "/";
            parts.get(i).step().state().forEach((name, array) -> state.put(prefix + name, array));
        }
        return state;
    }

    /** Takes over what {@link #state} gave. */
    public void restore(Map<String, INDArray> state) {
        for (int i = 0; i < parts.size(); i++) {
            String prefix = i + "/";
            Map<String, INDArray> own = new TreeMap<>();
            state.forEach((name, array) -> {
                if (name.startsWith(prefix)) {
                    own.put(name.substring(prefix.length()), array);
                }
            });
            parts.get(i).step().restore(own);
        }
    }
}
