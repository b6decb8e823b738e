package dev.samediff.adapters.train.optimizer;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.GraphVersion;
import dev.samediff.adapters.graph.Names;
import dev.samediff.adapters.train.Trainable;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.BooleanIndexing;
import org.nd4j.linalg.indexing.conditions.Conditions;

/** The values of what is trained. */
public final class Parameters {
    private final Trainable model;
    private final List<String> names;
    private List<INDArray> kept = List.of();

    public Parameters(Trainable model) {
        this.model = model;
        this.names = List.copyOf(model.trainableNames());
    }

    /** Returns the arrays in the graph. */
    public List<INDArray> arrays() {
        return names.stream().map(name -> model.graph().getArrForVarName(name)).toList();
    }

    /** Returns copies of the values. */
    public List<INDArray> read() {
        return arrays().stream().map(array -> array.dup('c')).toList();
    }

    /** Overwrites the values in the graph. */
    public void write(List<INDArray> values) {
        List<INDArray> arrays = arrays();
        for (int i = 0; i < values.size(); i++) {
            arrays.get(i).assign(values.get(i));
        }
        written();
    }

    /** Keeps the present values for {@link #undo}: once more the memory of the parameters. */
    public void keep() {
        if (kept.isEmpty()) {
            kept = read();
            return;
        }
        List<INDArray> now = arrays();
        for (int i = 0; i < now.size(); i++) {
            kept.get(i).assign(now.get(i));
        }
    }

    /**
     * Puts the values back that were kept, if one of the present ones is NaN or infinite: a loss and gradients that are finite do not keep an update
     * from overflowing, and the loss of what comes of it may be finite again.
     *
     * @return the name of the first parameter with such a value; empty if there is none
     */
    public Optional<String> undo() {
        List<INDArray> now = arrays();
        for (int i = 0; i < now.size(); i++) {
            if (BooleanIndexing.or(now.get(i), Conditions.notFinite())) {
                write(kept);
                return Optional.of(names.get(i));
            }
        }
        return Optional.empty();
    }

    /** Frees what was kept. */
    public void forget() {
        kept.forEach(Optimizer::free);
        kept = List.of();
    }

    /** Counts that the arrays in the graph were written to. */
    public void written() {
        GraphVersion.of(model.graph()).valuesChanged(names);
    }

    /**
     * Refuses a model that trains other variables than it did when this was made, as after activating another adapter.
     *
     * @throws InvalidInputException if it does
     */
    public void requireSame() {
        List<String> now = model.trainableNames();
        if (now.equals(names)) {
            return;
        }
        Set<String> gone = new LinkedHashSet<>(names);
        now.forEach(gone::remove);
        Set<String> added = new LinkedHashSet<>(now);
        names.forEach(added::remove);
        throw new InvalidInputException("the model trains other variables than when this trainer was made: no longer "
                + Names.some(gone) + "; new are " + Names.some(added)
                + ". Make a new trainer after adapters were activated, added or taken out");
    }

    /** Refuses parameters that are not FLOAT, by name. */
    public void requireFloat() {
        names.forEach(
                name -> Optimizer.requireFloat("`" + name + "`", model.graph().getArrForVarName(name)));
    }
}
