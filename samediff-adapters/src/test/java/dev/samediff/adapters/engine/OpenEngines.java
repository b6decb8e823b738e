package dev.samediff.adapters.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.compiled.CompiledEngine;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Engines of all kinds that stay open while their graph changes, and must compute what newly opened ones do. */
public final class OpenEngines implements AutoCloseable {
    private final SameDiff graph;
    private final String output;
    private final List<String> trainables;
    private final Map<String, INDArray> batch;
    private final Map<String, Supplier<Engine>> kinds = new LinkedHashMap<>();
    private final Map<String, Engine> open = new LinkedHashMap<>();

    /** Opens them, and lets each compute once, so that there is something to go out of date. */
    public OpenEngines(
            SameDiff graph, String output, String loss, List<String> trainables, Map<String, INDArray> batch) {
        this.graph = graph;
        this.output = output;
        this.trainables = List.copyOf(trainables);
        this.batch = batch;
        EngineOptions packed = EngineOptions.defaults();
        kinds.put("packed", () -> new CompiledEngine(graph, loss, trainables, packed));
        kinds.put("plain", () -> new CompiledEngine(graph, loss, trainables, packed.withPackedWeights(false)));
        kinds.put(
                "bfloat16",
                () -> new CompiledEngine(graph, loss, trainables, packed.withPrecision(Precision.BFLOAT16)));
        kinds.put("reference", () -> new ReferenceEngine(graph, loss, trainables));
        kinds.forEach((kind, opening) -> open.put(kind, opening.get()));
        check("opening");
    }

    /** Compares with newly opened engines and with SameDiff; gradients by what is no VARIABLE any more must be refused. */
    public void check(String after) {
        check(after, List.copyOf(kinds.keySet()));
    }

    /** As {@link #check(String)}, but only some of the engines are compared with newly opened ones of their kind, by the bits. */
    public void check(String after, List<String> byTheBits) {
        float[] bySameDiff = bits(graph.outputSingle(new HashMap<>(batch), output));
        Optional<String> gone = trainables.stream()
                .filter(name ->
                        !graph.hasVariable(name) || graph.getVariable(name).getVariableType() != VariableType.VARIABLE)
                .findFirst();
        open.forEach((kind, engine) -> {
            String what = kind + " after " + after;
            float[] found = bits(engine.outputs(batch, List.of(output)).get(output));
            assertThat(difference(found, bySameDiff)).as(what).isLessThan(kind.equals("bfloat16") ? 0.05 : 1e-4);
            try (Engine fresh =
                    kinds.get(byTheBits.contains(kind) ? kind : "reference").get()) {
                if (byTheBits.contains(kind)) {
                    assertThat(found)
                            .as(what)
                            .isEqualTo(
                                    bits(fresh.outputs(batch, List.of(output)).get(output)));
                }
                if (engine instanceof CompiledEngine compiled) {
                    assertThat(compiled.fallback()).as(what).isEmpty();
                }
                if (gone.isPresent()) {
                    assertThatThrownBy(() -> engine.gradients(batch))
                            .as(what)
                            .isInstanceOf(InvalidInputException.class)
                            .hasMessageContainingAll("`" + gone.get() + "`", "Open a new engine");
                } else if (!trainables.isEmpty()) {
                    assertSame(what, engine.gradients(batch), fresh.gradients(batch), byTheBits.contains(kind));
                }
            }
        });
    }

    private void assertSame(String what, Engine.Gradients found, Engine.Gradients expected, boolean byTheBits) {
        assertThat(found.byName().keySet()).isEqualTo(expected.byName().keySet());
        for (String name : trainables) {
            float[] gradient = bits(found.byName().get(name));
            float[] right = bits(expected.byName().get(name));
            if (byTheBits) {
                assertThat(gradient).as(what + ", gradient of " + name).isEqualTo(right);
            } else {
                double largest = expected.byName().values().stream()
                        .mapToDouble(each -> each.norm2Number().doubleValue())
                        .max()
                        .orElseThrow();
                double distance = Nd4j.createFromArray(gradient)
                        .sub(Nd4j.createFromArray(right))
                        .norm2Number()
                        .doubleValue();
                assertThat(distance)
                        .as(what + ", gradient of " + name)
                        .isLessThanOrEqualTo((what.startsWith("bfloat16") ? 0.1 : 1e-4) * largest);
            }
        }
    }

    static float[] bits(INDArray array) {
        return array.dup('c').data().asFloat();
    }

    static double difference(float[] found, float[] expected) {
        double squares = 0;
        double norm = 0;
        for (int i = 0; i < expected.length; i++) {
            squares += Math.pow((double) found[i] - expected[i], 2);
            norm += Math.pow(expected[i], 2);
        }
        return Math.sqrt(squares / norm);
    }

    @Override
    public void close() {
        open.values().forEach(Engine::close);
    }
}
