package dev.samediff.adapters.graph;

import dev.samediff.adapters.LayerInput;
import java.util.function.BiFunction;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** Puts an adapter's branch behind one use of a layer, whatever shape the layer's result has. */
public final class Branches {
    private Branches() {}

    /**
     * Adds the branch and returns the new value of the use's output, in its shape.
     *
     * @param site the layer
     * @param use the use of its weight
     * @param output the output's value without the branch
     * @param prefix start of the names of all variables created here
     * @param drops whether elements of the input of a linear layer are dropped in training; never those of an embedding, as in PEFT
     * @param branch makes the adapted rows [N,out], of each expert if there are several, from the layer's input and its rows
     */
    public static SDVariable adapt(
            AdaptableSite site,
            AdaptableSite.Use use,
            SDVariable output,
            String prefix,
            boolean drops,
            BiFunction<LayerInput, SDVariable, SDVariable> branch) {
        SameDiff graph = output.getSameDiff();
        SDVariable input = graph.getVariable(use.input());
        return switch (site.kind()) {
            case LINEAR, EXPERTS ->
                branch.apply(new LinearInput(drops ? Dropout.in(input, prefix) : input, drops), output);
            case EMBEDDING -> {
                SDVariable rows = graph.reshape(prefix + "base_rows", output, -1, site.out());
                SDVariable adapted = branch.apply(new EmbeddingInput(input, site.in()), rows);
                yield graph.reshape(prefix + "embedded", adapted, graph.shape(prefix + "shape", output));
            }
        };
    }
}
