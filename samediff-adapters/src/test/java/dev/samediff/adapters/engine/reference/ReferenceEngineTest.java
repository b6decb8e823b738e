package dev.samediff.adapters.engine.reference;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineContractTest;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class ReferenceEngineTest extends EngineContractTest {
    @Override
    protected Engine open(SameDiff graph, String loss, List<String> trainables) {
        // reused memory is filled with NaN, so that an op that leaves some of its output unwritten is noticed
        return new ReferenceEngine(graph, loss, trainables, false, true);
    }

    @Test
    void graphs_with_control_flow_run_in_samediffs_own_session() {
        SameDiff sd = SameDiff.create();
        SDVariable x = sd.placeHolder("x", DataType.FLOAT, -1, 3);
        SDVariable w = sd.var("w", Nd4j.ones(DataType.FLOAT, 3, 2));
        SDVariable y = sd.mmul(x, w);
        SDVariable[] branches = sd.switchOp(y, sd.constant(Nd4j.scalar(true)));
        sd.merge(branches[0].mul(0), branches[1].mul(2)).rename("chosen");
        y.mean().rename("loss");
        try (Engine engine = open(sd, "loss", List.of("w"))) {
            Map<String, INDArray> inputs = Map.of("x", Nd4j.ones(DataType.FLOAT, 1, 3));
            assertThat(engine.outputs(inputs, List.of("chosen")).get("chosen").toFloatMatrix())
                    .isDeepEqualTo(new float[][] {{6, 6}});
            assertThat(engine.outputs(inputs, List.of("chosen")).get("chosen").toFloatMatrix())
                    .isDeepEqualTo(new float[][] {{6, 6}});
        }
    }

    /** DL4J defect: SameDiff prints "Added differentiated op" for every op, tens of lines per layer. */
    @Test
    void deriving_gradients_prints_nothing() {
        TinyGpt gpt = new TinyGpt(8, 1, 2, 5, 2);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        java.io.PrintStream before = System.out;
        java.io.ByteArrayOutputStream printed = new java.io.ByteArrayOutputStream();
        System.setOut(new java.io.PrintStream(printed, true, java.nio.charset.StandardCharsets.UTF_8));
        try (Engine engine = open(gpt.graph, loss.loss(), gpt.trainables)) {
            engine.gradients(gpt.batch(1, 3, 1));
        } finally {
            System.setOut(before);
        }
        assertThat(printed.toString(java.nio.charset.StandardCharsets.UTF_8)).doesNotContain("differentiated");
    }
}
