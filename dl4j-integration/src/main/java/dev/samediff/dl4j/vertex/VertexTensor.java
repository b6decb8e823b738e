package dev.samediff.dl4j.vertex;

import dev.samediff.dl4j.conf.PenaltyRegularization;
import java.io.Serializable;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * A trainable tensor of a graph.
 *
 * @param key DL4J's name of the parameter; without {@code _}, see {@code WeightAdapter.key}
 * @param variable the graph's name of the variable
 * @param shape shape
 * @param penalty its regularisation by the method's penalty; null without one
 */
public record VertexTensor(
        @JsonProperty("key") String key,
        @JsonProperty("variable") String variable,
        @JsonProperty("shape") List<Long> shape,
        @JsonProperty("penalty") @Nullable PenaltyRegularization penalty)
        implements Serializable {
    @JsonCreator
    public VertexTensor {
        shape = List.copyOf(shape);
    }

    /** Returns the number of elements. */
    long length() {
        return shape.stream().reduce(1L, (a, b) -> a * b);
    }

    long[] dimensions() {
        return shape.stream().mapToLong(Long::longValue).toArray();
    }
}
