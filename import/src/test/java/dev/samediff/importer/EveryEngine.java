package dev.samediff.importer;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.compiled.CompiledEngine;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/** An imported model in all that executes it: SameDiff's own session and both engines. */
final class EveryEngine {
    private EveryEngine() {}

    /** Returns an output by what computed it. */
    static Map<String, INDArray> output(ImportedModel model, Map<String, INDArray> inputs, String output) {
        SameDiff graph = model.graph();
        Map<String, INDArray> results = new LinkedHashMap<>();
        results.put("SameDiff", graph.output(inputs, output).get(output));
        String loss = sum(graph, output);
        try (Engine reference = new ReferenceEngine(graph, loss, List.of())) {
            results.put(
                    "reference engine",
                    reference.outputs(inputs, List.of(output)).get(output));
        }
        try (CompiledEngine compiled = new CompiledEngine(graph, loss, List.of(), EngineOptions.defaults())) {
            INDArray array = compiled.outputs(inputs, List.of(output)).get(output);
            results.put(
                    "compiled engine"
                            + compiled.fallback()
                                    .map(why -> ", which fell back: " + why)
                                    .orElse(""),
                    array);
        }
        results.replaceAll((engine, array) -> Objects.requireNonNull(array).dup());
        return results;
    }

    /** Returns the gradient of the sum of an output by an input, which becomes a variable, by what computed it. */
    static Map<String, INDArray> gradient(
            ImportedModel model, Map<String, INDArray> inputs, String output, String input) {
        SameDiff graph = model.graph();
        OperatorCases.makeTrainable(graph, input, Objects.requireNonNull(inputs.get(input)));
        String trained = input + "/variable";
        String loss = sum(graph, output);
        graph.setLossVariables(loss);
        Map<String, INDArray> results = new LinkedHashMap<>();
        results.put("SameDiff", graph.calculateGradients(inputs, trained).get(trained));
        try (Engine reference = new ReferenceEngine(graph, loss, List.of(trained))) {
            results.put("reference engine", reference.gradients(inputs).byName().get(trained));
        }
        try (CompiledEngine compiled = new CompiledEngine(graph, loss, List.of(trained), EngineOptions.defaults())) {
            INDArray array = compiled.gradients(inputs).byName().get(trained);
            results.put(
                    "compiled engine"
                            + compiled.fallback()
                                    .map(why -> ", which fell back: " + why)
                                    .orElse(""),
                    array);
        }
        results.replaceAll((engine, array) -> Objects.requireNonNull(array).dup());
        return results;
    }

    private static String sum(SameDiff graph, String output) {
        SDVariable variable = graph.getVariable(output);
        return variable.castTo(org.nd4j.linalg.api.buffer.DataType.FLOAT).sum().name();
    }
}
