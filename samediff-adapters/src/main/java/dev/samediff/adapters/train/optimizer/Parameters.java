package dev.samediff.adapters.train.optimizer;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.GraphVersion;
import dev.samediff.adapters.graph.Names;
import dev.samediff.adapters.train.Trainable;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

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

    /** Keeps the present values for {@link #undo}, in once more the memory of the parameters. */
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

    /** Returns whether no number is NaN or infinite. */
    public boolean areFinite() {
        return Optimizer.areFinite(arrays());
    }

    /** Returns the name of the first parameter with a number that is NaN or infinite. */
    public String firstNotFinite() {
        List<INDArray> now = arrays();
        return IntStream.range(0, now.size())
                .filter(i -> !Optimizer.isFinite(now.get(i)))
                .mapToObj(names::get)
                .findFirst()
                .orElseThrow();
    }

    /**
     * Puts the values back that were kept.
     *
     * @return whether there were any
     */
    public boolean undo() {
        if (kept.isEmpty()) {
            return false;
        }
        write(kept);
        return true;
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
