package dev.samediff.adapters.io;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.AdaLora;
import dev.samediff.adapters.method.BiasedLora;
import dev.samediff.adapters.method.Dora;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.OLora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.RankBudget;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.testing.ToyGraph;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Adapters of a small graph, as they are after training. */
final class TrainedAdapters {
    private TrainedAdapters() {}

    static Stream<AdapterMethod> methods() {
        return Stream.of(
                Lora.rank(3).withAlpha(6),
                Lora.rank(3).withAlpha(7).withRankStabilizedScaling(),
                OLora.rank(3).withAlpha(6),
                Pissa.rank(3).withAlpha(4.5),
                Pissa.rank(3).withFastStart(4),
                Pissa.rank(2).withAlpha(5).withRankStabilizedScaling(),
                Sorsa.rank(3).withGamma(0.01),
                Sorsa.rank(3).withAlpha(5),
                new Dora(Lora.rank(3).withAlpha(6)),
                new Dora(Pissa.rank(3)),
                new BiasedLora(Lora.rank(3).withAlpha(6)),
                AdaLora.rank(3).withAlpha(6),
                AdaLora.rank(3).withBudget(RankBudget.DEFAULT.withTarget(1)));
    }

    /** The state of an adapter whose tensors moved away from their start. */
    static AdapterState trained(AdapterMethod method, TargetSelector targets) {
        AdaptedModel model = AdaptedModel.inject(graph(), new AdapterConfig("mine", method, targets, 5));
        Random random = new Random(3);
        Map<String, INDArray> values = model.trainables();
        values.values()
                .forEach(array -> array.addi(
                        ToyGraph.random(random, DataType.FLOAT, array.shape()).muli(0.1)));
        model.restore(values);
        return model.state();
    }

    static TargetSelector everyTarget() {
        return TargetSelector.suffixes("up_proj", "down_proj");
    }

    static SameDiff graph() {
        return ToyGraph.create(DataType.FLOAT, 8, 12);
    }

    static INDArray output(SameDiff graph) {
        INDArray x = ToyGraph.random(new Random(8), DataType.FLOAT, 5, 8);
        return graph.outputSingle(Map.of("x", x), "out");
    }

    static double maxDifference(INDArray a, INDArray b) {
        return a.castTo(DataType.DOUBLE)
                .sub(b.castTo(DataType.DOUBLE))
                .normmaxNumber()
                .doubleValue();
    }
}
