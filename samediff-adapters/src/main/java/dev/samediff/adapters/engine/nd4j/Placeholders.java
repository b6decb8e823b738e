package dev.samediff.adapters.engine.nd4j;

import dev.samediff.adapters.InvalidInputException;
import java.util.Map;
import java.util.TreeSet;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Values of placeholders, in the type the graph expects. */
public final class Placeholders {
    private Placeholders() {}

    /** Tells whether a name is that of a placeholder. */
    public static boolean isOne(SameDiff graph, String name) {
        return graph.hasVariable(name) && graph.getVariable(name).isPlaceHolder();
    }

    /** Returns the value of a placeholder, cast if need be. */
    public static INDArray get(SDVariable placeholder, Map<String, INDArray> values) {
        INDArray array = values.get(placeholder.name());
        if (array == null) {
            throw new InvalidInputException("no value was given for the placeholder `" + placeholder.name()
                    + "`; given: " + new TreeSet<>(values.keySet()));
        }
        return array.dataType() == placeholder.dataType() ? array : array.castTo(placeholder.dataType());
    }
}
