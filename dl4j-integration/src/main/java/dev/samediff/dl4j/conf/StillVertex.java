package dev.samediff.dl4j.conf;

import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * The configuration of a vertex that no gradient has to reach: DL4J's {@code FrozenVertex}, which keeps the network's data
 * type to itself, so that a SameDiff vertex inside of it throws in its first forward pass.
 */
public final class StillVertex extends FrozenVertex {
    private static final long serialVersionUID = 1L;

    /**
     * Freezes a vertex.
     *
     * @param underlying the vertex
     */
    @JsonCreator
    public StillVertex(@JsonProperty("underlying") GraphVertex underlying) {
        super(underlying);
    }

    @Override
    public void setDataType(DataType dataType) {
        getUnderlying().setDataType(dataType);
    }

    @Override
    public StillVertex clone() {
        return new StillVertex(VertexCopies.of(getUnderlying()));
    }

    @Override
    public boolean equals(@Nullable Object o) {
        return o instanceof StillVertex other && getUnderlying().equals(other.getUnderlying());
    }

    @Override
    protected boolean canEqual(@Nullable Object other) {
        return other instanceof StillVertex;
    }

    @Override
    public int hashCode() {
        return getUnderlying().hashCode();
    }
}
