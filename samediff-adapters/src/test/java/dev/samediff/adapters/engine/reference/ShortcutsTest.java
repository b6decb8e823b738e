package dev.samediff.adapters.engine.reference;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineContractTest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Every way to broadcast, with both or one operand trained, against SameDiff's own gradient ops. */
class ShortcutsTest {
    @ParameterizedTest
    @CsvSource({
        "3x4, 3x4",
        "3x4, 4",
        "3x4, 1x4",
        "3x4, 3x1",
        "3x1, 1x4",
        "4, 3x4",
        "1x4, 3x4",
        "2x3x4, 4",
        "2x3x4, 3x1",
        "2x3x4, 1x3x1",
        "2x1x4, 2x3x1",
        "3x4, 1",
        "1, 3x4",
        "2x3x4x5, 1x1x4x5"
    })
    void gradients_of_broadcast_sums_and_products(String left, String right) {
        for (List<String> trained : List.of(List.of("a", "b"), List.of("a"), List.of("b"))) {
            SameDiff sd = SameDiff.create();
            SDVariable a = variable(sd, "a", shape(left), trained);
            SDVariable b = variable(sd, "b", shape(right), trained);
            SDVariable mixed =
                    sd.math.tanh(a.mul(b)).add(sd.math.square(a.add(b))).mul(b.add(a));
            sd.math.square(mixed.sub(0.3)).mean().rename("loss");
            Engine.Gradients expected = EngineContractTest.bySameDiff(sd, "loss", trained, Map.of());
            try (Engine engine = new ReferenceEngine(sd, "loss", trained, false, true)) {
                for (int run = 0; run < 2; run++) {
                    Map<String, INDArray> actual = engine.gradients(Map.of()).byName();
                    for (String name : trained) {
                        INDArray want = expected.byName().get(name);
                        double error = Transforms.abs(actual.get(name).sub(want))
                                .maxNumber()
                                .doubleValue();
                        assertThat(error / want.amaxNumber().doubleValue())
                                .as("%s of %s, %s", name, left, right)
                                .isLessThan(1e-12);
                    }
                }
            }
        }
    }

    private static SDVariable variable(SameDiff sd, String name, long[] shape, List<String> trained) {
        INDArray values = Nd4j.rand(DataType.DOUBLE, shape).addi(0.1);
        return trained.contains(name) ? sd.var(name, values) : sd.constant(name, values);
    }

    private static long[] shape(String text) {
        List<Long> sizes = new ArrayList<>();
        for (String size : text.split("x")) {
            sizes.add(Long.parseLong(size));
        }
        return sizes.stream().mapToLong(Long::longValue).toArray();
    }
}
