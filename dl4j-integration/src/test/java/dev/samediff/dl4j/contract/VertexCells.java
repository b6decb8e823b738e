package dev.samediff.dl4j.contract;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.dl4j.AdapterTransfer;
import dev.samediff.dl4j.testing.Adapted;
import java.util.Set;
import java.util.TreeSet;
import org.deeplearning4j.nn.graph.ComputationGraph;

/** What the table of docs/dl4j.md says of one class of vertices, found by trying it. */
final class VertexCells {
    private VertexCells() {}

    /** Tries a position with two methods. */
    static String cell(VertexExample example, Position position) {
        if (position == Position.TRAINED
                && example.graph().getVertex(Networks.TESTED).numParams() == 0) {
            return LayerCells.NOTHING;
        }
        check(example, position, Lora.rank(1));
        check(example, position, Pissa.rank(1));
        return LayerCells.YES;
    }

    private static void check(VertexExample example, Position position, AdapterMethod method) {
        ComputationGraph original = example.graph();
        ComputationGraph adapted = position.choose(
                        new AdapterTransfer.GraphBuilder(original).method(method),
                        example.below().toArray(new String[0]))
                .build();
        Set<String> trained = new TreeSet<>(Adapted.trainable(adapted));
        if (position == Position.TRAINED) {
            adapted.paramTable().keySet().stream()
                    .filter(name -> name.startsWith(Networks.TESTED + "_"))
                    .forEach(trained::add);
        }
        Contract.check(original, adapted, example.data(), trained, Set.of(), false);
    }
}
