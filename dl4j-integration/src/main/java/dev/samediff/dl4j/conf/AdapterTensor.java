package dev.samediff.dl4j.conf;

import java.io.Serializable;
import java.util.List;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * A tensor of an adapter.
 *
 * @param name short name, as in {@code Factorization}: {@code lora_A}, {@code sorsa_S}
 * @param shape shape, as in {@code Factorization}
 */
public record AdapterTensor(
        @JsonProperty("name") String name,
        @JsonProperty("shape") List<Long> shape) implements Serializable {
    @JsonCreator
    public AdapterTensor {
        shape = List.copyOf(shape);
    }

    /** Returns the number of elements. */
    public long length() {
        return shape.stream().reduce(1L, (a, b) -> a * b);
    }

    /** Returns the shape as ND4J wants it. */
    public long[] dimensions() {
        return shape.stream().mapToLong(Long::longValue).toArray();
    }
}
