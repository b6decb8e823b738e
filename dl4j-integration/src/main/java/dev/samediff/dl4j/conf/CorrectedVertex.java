package dev.samediff.dl4j.conf;

import dev.samediff.dl4j.vertex.RunningVertex;
import java.util.Objects;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.inputs.InvalidInputTypeException;
import org.deeplearning4j.nn.conf.memory.MemoryReport;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * The configuration of a vertex that gradients pass: the original one with right gradients, its parameters frozen or not.
 * DL4J's {@code FrozenVertex} lets no gradient pass.
 */
public final class CorrectedVertex extends GraphVertex {
    private static final long serialVersionUID = 1L;

    private final GraphVertex underlying;
    private final boolean frozen;

    /**
     * Creates the configuration.
     *
     * @param underlying the original vertex
     * @param frozen whether its parameters are kept
     */
    @JsonCreator
    public CorrectedVertex(@JsonProperty("underlying") GraphVertex underlying, @JsonProperty("frozen") boolean frozen) {
        this.underlying = underlying;
        this.frozen = frozen;
    }

    /** Returns the original vertex. */
    public GraphVertex getUnderlying() {
        return underlying;
    }

    /** Returns whether its parameters are kept. */
    public boolean isFrozen() {
        return frozen;
    }

    @Override
    public org.deeplearning4j.nn.graph.vertex.GraphVertex instantiate(
            ComputationGraph graph,
            String name,
            int index,
            INDArray paramsView,
            boolean initializeParams,
            DataType networkDatatype) {
        return new RunningVertex(
                underlying.instantiate(graph, name, index, paramsView, initializeParams, networkDatatype), frozen);
    }

    @Override
    public long numParams(boolean backprop) {
        return underlying.numParams(backprop);
    }

    @Override
    public int minVertexInputs() {
        return underlying.minVertexInputs();
    }

    @Override
    public int maxVertexInputs() {
        return underlying.maxVertexInputs();
    }

    @Override
    public InputType getOutputType(int layerIndex, InputType... vertexInputs) throws InvalidInputTypeException {
        return underlying.getOutputType(layerIndex, vertexInputs);
    }

    @Override
    public MemoryReport getMemoryReport(InputType... inputTypes) {
        return underlying.getMemoryReport(inputTypes);
    }

    @Override
    public void setDataType(DataType dataType) {
        underlying.setDataType(dataType);
    }

    @Override
    public CorrectedVertex clone() {
        return new CorrectedVertex(VertexCopies.of(underlying), frozen);
    }

    @Override
    public boolean equals(@Nullable Object o) {
        return o instanceof CorrectedVertex other && frozen == other.frozen && underlying.equals(other.underlying);
    }

    @Override
    public int hashCode() {
        return Objects.hash(underlying, frozen);
    }
}
