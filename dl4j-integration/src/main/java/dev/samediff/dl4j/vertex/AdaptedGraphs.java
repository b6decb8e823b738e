package dev.samediff.dl4j.vertex;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdaptedSite;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.Penalty;
import dev.samediff.adapters.graph.Names;
import dev.samediff.dl4j.conf.AdapterTensor;
import dev.samediff.dl4j.conf.LearningRates;
import dev.samediff.dl4j.conf.PenaltyRegularization;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.learning.config.IUpdater;

/** How a graph with adapters becomes the configuration of a vertex. */
final class AdaptedGraphs {
    private AdaptedGraphs() {}

    static AdaptedGraph describe(AdaptedModel model, IUpdater updater, String output, List<String> inputs) {
        SameDiff graph = model.graph();
        if (!graph.hasVariable(output)) {
            throw new InvalidInputException("the graph has no variable `" + output + "` to hand on; it computes "
                    + Names.some(computed(graph)));
        }
        for (String input : inputs) {
            if (!graph.hasVariable(input) || !graph.getVariable(input).isPlaceHolder()) {
                throw new InvalidInputException(
                        "the graph has no input `" + input + "`; it has " + Names.some(graph.inputs()));
            }
        }
        if (model.merged() || !model.enabled()) {
            throw new InvalidInputException("the adapters are " + (model.merged() ? "merged" : "switched off")
                    + ", so training their tensors would change nothing; call "
                    + (model.merged() ? "unmerge" : "enable")
                    + "() on the model first");
        }
        if (!model.afterSteps().isEmpty()) {
            throw new InvalidInputException(
                    "the adapters " + model.afterSteps().keySet() + " act after every update (adalora"
                            + " cuts ranks, sorsa may make its vectors orthonormal), and DL4J's networks do not tell them of it; let"
                            + " them keep all ranks (target = rank), leave retraction out, or train the graph with AdapterTrainer");
        }
        Set<String> whole = new LinkedHashSet<>(model.trainableNames());
        List<VertexTensor> tensors = new ArrayList<>();
        for (AdaptedSite site : model.sites()) {
            for (Map.Entry<String, String> tensor : site.trainables().entrySet()) {
                if (!whole.remove(tensor.getValue())) {
                    continue; // stays as it starts, such as LoRA-FA's A
                }
                long[] shape = graph.getVariable(tensor.getValue()).getArr().shape();
                AdapterTensor described = new AdapterTensor(
                        tensor.getKey(), Arrays.stream(shape).boxed().toList());
                tensors.add(new VertexTensor(
                        "t" + tensors.size() + "." + tensor.getKey().replace("_", ""),
                        tensor.getValue(),
                        described.shape(),
                        penalty(model, site.adapter(), updater, described)));
            }
        }
        for (String variable : whole) {
            tensors.add(new VertexTensor(
                    "t" + tensors.size() + ".whole",
                    variable,
                    Arrays.stream(graph.getVariable(variable).getArr().shape())
                            .boxed()
                            .toList(),
                    null));
        }
        return new AdaptedGraph(bytes(graph), inputs, output, tensors, updater, null);
    }

    private static List<String> computed(SameDiff graph) {
        return graph.variables().stream()
                .filter(variable -> variable.getVariableType() == VariableType.ARRAY)
                .map(SDVariable::name)
                .toList();
    }

    private static @Nullable PenaltyRegularization penalty(
            AdaptedModel model, String adapter, IUpdater updater, AdapterTensor tensor) {
        AdapterMethod method = model.config(adapter).method();
        Penalty penalty = method.penalty().orElse(null);
        if (penalty == null || !PenaltyRegularization.dependsOn(penalty, tensor)) {
            return null;
        }
        double peak = LearningRates.constant(updater)
                .orElseThrow(() -> new InvalidInputException("the penalty of " + method.name()
                        + " needs the highest learning rate, and the updater " + updater + " has no constant one"));
        int layers = (int) model.sites().stream()
                .filter(site -> site.adapter().equals(adapter))
                .count();
        return new PenaltyRegularization(method.name(), method.settings(), tensor, layers, penalty.coefficient(peak));
    }

    private static byte[] bytes(SameDiff graph) {
        ByteBuffer buffer = graph.asFlatBuffers(false);
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    static SameDiff graph(byte[] bytes) {
        try {
            ByteBuffer buffer = ByteBuffer.allocateDirect(bytes.length);
            buffer.put(bytes).flip();
            return SameDiff.fromFlatBuffers(buffer);
        } catch (java.io.IOException e) {
            throw new IllegalStateException("the graph in the configuration cannot be read", e);
        }
    }
}
