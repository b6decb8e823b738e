package dev.samediff.adapters.testing;

import dev.samediff.adapters.engine.Engine.Gradients;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Assertions on the raw bits of arrays.
 *
 * <p>{@code INDArray.equals} tolerates an absolute difference of 1e-5, and with it AssertJ's {@code isEqualTo},
 * {@code contains} and equality of maps, lists and records that hold arrays: gradients of size 1e-6 equal their
 * negation. {@link LenientEquality} finds such comparisons in tests; these take their place.
 */
public final class Bits {
    private Bits() {}

    /** Compares type, shape and every element; memory order and offset of the arrays may differ. */
    public static BitsAssert<INDArray> assertThatBits(INDArray actual) {
        return new BitsAssert<>(actual, array -> Map.of("the array", array));
    }

    /** Compares the names and every array. */
    public static BitsAssert<Map<String, INDArray>> assertThatBits(Map<String, INDArray> actual) {
        return new BitsAssert<>(actual, arrays -> arrays);
    }

    /** Compares the number of arrays and each with the one at its place. */
    public static BitsAssert<List<INDArray>> assertThatBits(List<INDArray> actual) {
        return new BitsAssert<>(actual, arrays -> {
            Map<String, INDArray> byPlace = new LinkedHashMap<>();
            arrays.forEach(array -> byPlace.put("array " + byPlace.size(), array));
            return byPlace;
        });
    }

    /** Compares the loss and the gradient of every parameter. */
    public static BitsAssert<Gradients> assertThatBits(Gradients actual) {
        return new BitsAssert<>(actual, gradients -> {
            Map<String, INDArray> byName = new LinkedHashMap<>(gradients.byName());
            byName.put("the loss", Nd4j.scalar(gradients.loss()));
            return byName;
        });
    }
}
