package dev.samediff.adapters;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.graph.AdapterTensors;
import dev.samediff.adapters.graph.SharingCopy;
import dev.samediff.adapters.testing.SharedGraph;
import dev.samediff.adapters.testing.ToyGraph;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A graph that is adapted, everybody who reads the same arrays, and what must hold of them whatever is done to the adapters:
 *
 * <ol>
 *   <li>No array that a graph held before an operation is written to: the caller's, those of copies, the twin of a tied weight, and
 *       those that the adapted graph itself held in between. Only the adapters' own tensors change, by training.
 *   <li>The base model, other copies of it, and copies of the adapted graph that were made in between compute the same bits as
 *       before, by SameDiff and by engines that stay open.
 *   <li>The adapted graph computes what the definition says: the base weights plus the changes of the active adapters since
 *       their start, whether merged or not; the base model's bits if no adapter acts.
 *   <li>SameDiff's gradients are those of a graph that is read anew, so nothing derived from the graph is out of date (looked at when
 *       {@link #differentiate} is called, because SameDiff takes its time for it).
 *   <li>The active adapters' tensors, and no others, are trainable; their penalties, and no others, are losses.
 * </ol>
 */
final class AdaptedWorld implements AutoCloseable {
    /** Who has the arrays besides the adapted graph. */
    enum Sharing {
        /** Nobody. */
        OWN,
        /** The caller's graph and another copy of it. */
        COPIES,
        /** As COPIES, and two constants of each graph have one array. */
        TIED
    }

    private final DataType type;
    private final Map<String, INDArray> arrays;
    private final SameDiff graph;
    private final INDArray base;
    private final List<Reader> readers = new ArrayList<>();
    private final Map<INDArray, INDArray> seen = new IdentityHashMap<>();
    private final List<String> done = new ArrayList<>();
    private AdaptedModel model;
    private boolean moved;

    /** Another graph that reads the arrays, with an open engine, and what both computed at first. */
    private record Reader(String name, SameDiff graph, Engine engine, INDArray bySameDiff, INDArray byEngine) {}

    /** Makes the graphs and puts the first adapter in. */
    AdaptedWorld(Sharing sharing, DataType type, AdapterConfig first) {
        this.type = type;
        this.arrays = SharedGraph.arrays(type, sharing == Sharing.TIED);
        SameDiff callers = SharedGraph.create(arrays);
        this.graph = sharing == Sharing.OWN ? callers : SharingCopy.of(callers);
        this.base = logits(graph);
        if (sharing != Sharing.OWN) {
            read("the caller's graph", callers);
            read("another copy", SharingCopy.of(callers));
        }
        arrays.values().forEach(this::watch);
        watchGraph();
        inject(first);
    }

    private void read(String name, SameDiff other) {
        Engine engine = Engines.open(other, "", List.of(), EngineOptions.defaults());
        readers.add(new Reader(name, other, engine, logits(other), byEngine(engine)));
    }

    private void watch(INDArray array) {
        seen.computeIfAbsent(array, INDArray::dup);
    }

    private void watchGraph() {
        graph.variables().stream()
                .filter(v ->
                        v.getVariableType() == VariableType.CONSTANT || v.getVariableType() == VariableType.VARIABLE)
                .filter(v -> !AdapterTensors.isOne(v.name()) && !isTrainedWhole(v))
                .forEach(v -> watch(v.getArr()));
    }

    private boolean isTrainedWhole(SDVariable variable) {
        return model != null
                && variable.getVariableType() == VariableType.VARIABLE
                && model.trainableNames().contains(variable.name());
    }

    AdaptedModel model() {
        return model;
    }

    /** Puts the first adapter into the plain graph. */
    void inject(AdapterConfig config) {
        model = AdaptedModel.inject(graph, config);
        check("inject " + described(config));
    }

    static String described(AdapterConfig config) {
        return config.method() + " on " + config.targets().describe() + " with " + config.whole();
    }

    /** Does something to the model and looks at everything. */
    void apply(String what, Runnable operation) {
        try {
            operation.run();
        } catch (RuntimeException e) {
            throw new AssertionError(what + " failed after " + done, e);
        }
        check(what);
    }

    /** Moves the active adapters' tensors away from where they are. */
    void train(long seed) {
        Random random = new Random(seed);
        Map<String, INDArray> moved = new LinkedHashMap<>();
        model.trainables()
                .forEach((name, value) -> moved.put(
                        name,
                        value.add(ToyGraph.random(random, type, value.shape()).muli(0.1))));
        apply("train", () -> model.restore(moved));
    }

    /** Lets these adapters act, and no others. */
    void activate(String... names) {
        model.activate(names);
        assertThat(model.activeAdapterNames()).containsExactlyInAnyOrder(names);
        check("activate " + List.of(names));
    }

    /** Lets a file stand behind weights, which are other arrays then. */
    void moveToFile(Path directory, boolean graphToo) {
        moved = true;
        apply("to a file " + graphToo, () -> model.keepWeightsInFile(directory, graphToo));
    }

    /** Copies the adapted graph as it is; from now on the copy must not change any more. */
    void copy() {
        read("a copy made after " + done, SharingCopy.of(graph));
        check("copy");
    }

    /** Takes all adapters out: the graph holds the caller's arrays again. */
    void unload() {
        apply("unload", model::unload);
        arrays.forEach((name, array) -> {
            INDArray now = graph.getArrForVarName(name);
            assertThatBits(now).as(name + " after " + done).isEqualTo(array);
            assertThat(now == array || moved)
                    .as("%s is the caller's array after %s", name, done)
                    .isTrue();
        });
        assertThat(graph.variables().stream().map(SDVariable::name))
                .as("variables after %s", done)
                .containsExactlyInAnyOrderElementsOf(SharedGraph.create(arrays).variables().stream()
                        .map(SDVariable::name)
                        .toList());
    }

    private void check(String operation) {
        done.add(operation);
        String after = " after " + done;
        seen.forEach((array, before) -> {
            assertThat(array.wasClosed()).as("closed" + after).isFalse();
            assertThatBits(array).as("an array that was in use" + after).isEqualTo(before);
        });
        for (Reader reader : readers) {
            assertThatBits(logits(reader.graph())).as(reader.name() + after).isEqualTo(reader.bySameDiff());
            assertThatBits(byEngine(reader.engine()))
                    .as("engine of " + reader.name() + after)
                    .isEqualTo(reader.byEngine());
        }
        INDArray found = logits(graph);
        if (!model.enabled() || model.activeAdapterNames().isEmpty()) {
            assertThatBits(found).as("logits" + after).isEqualTo(base);
        }
        INDArray defined = defined();
        double distance =
                found.castTo(DataType.DOUBLE).sub(defined).norm2Number().doubleValue();
        assertThat(distance)
                .as("distance of the logits from their definition" + after)
                .isLessThan((type == DataType.FLOAT ? 1e-5 : 1e-12)
                        * defined.norm2Number().doubleValue());
        checkTraining(after);
        watchGraph();
    }

    private void checkTraining(String after) {
        if (model.adapters().isEmpty()) {
            return;
        }
        List<String> trainables = model.trainableNames();
        List<String> factors = trainables.stream().filter(AdapterTensors::isOne).toList();
        assertThat(graph.variables().stream()
                        .filter(v -> v.getVariableType() == VariableType.VARIABLE)
                        .map(SDVariable::name))
                .as("VARIABLEs" + after)
                .containsExactlyInAnyOrderElementsOf(model.enabled() && !model.merged() ? trainables : factors);
        assertThat(graph.variables().stream().map(SDVariable::name).filter(this::isActive))
                .as("factors of the active adapters" + after)
                .containsExactlyInAnyOrderElementsOf(factors);
        List<String> losses = new ArrayList<>(List.of("loss"));
        model.activeAdapterNames().stream()
                .filter(name -> model.config(name).method().penalty().isPresent())
                .forEach(name -> losses.add(name + "/penalty"));
        assertThat(graph.getLossVariables()).as("losses" + after).containsExactlyInAnyOrderElementsOf(losses);
    }

    /** Compares SameDiff's gradients with those of a graph that is read anew. */
    void differentiate() {
        List<String> trainables = model.trainableNames().stream()
                .filter(name -> graph.getVariable(name).getVariableType() == VariableType.VARIABLE)
                .toList();
        if (!trainables.isEmpty()) {
            assertThatBits(graph.calculateGradients(SharedGraph.feeds(type), trainables))
                    .as("gradients after " + done)
                    .isEqualTo(graph.dup().calculateGradients(SharedGraph.feeds(type), trainables));
        }
    }

    private boolean isActive(String tensor) {
        return AdapterTensors.isOne(tensor)
                && model.activeAdapterNames().stream()
                        .anyMatch(name -> tensor.endsWith("." + name) || tensor.endsWith("." + name + ".weight"));
    }

    /** The logits by the definition, in float64, with whole weights. */
    private INDArray defined() {
        Map<String, INDArray> weights = new LinkedHashMap<>();
        arrays.forEach(
                (name, array) -> weights.put(name, array.castTo(DataType.DOUBLE).dup()));
        weights.put(SharedGraph.HEAD, weights.get(SharedGraph.TABLE).dup());
        for (String name : model.enabled() ? model.activeAdapterNames() : List.<String>of()) {
            AdapterState state = model.state(name);
            AdapterMethod method = state.config().method();
            for (AdapterState.Whole whole : state.whole()) {
                INDArray tensor = whole.tensor().castTo(DataType.DOUBLE);
                for (int i = 0; i < whole.rows().size(); i++) { // of the table and of the head that is tied to it
                    weights.get(SharedGraph.TABLE).putRow(whole.rows().get(i), tensor.getRow(i));
                    weights.get(SharedGraph.HEAD).putRow(whole.rows().get(i), tensor.getRow(i));
                }
                if (whole.rows().isEmpty()) {
                    boolean turned =
                            whole.key().equals("q.weight") || whole.key().equals("o.weight"); // stored [in,out]
                    weights.put(whole.variable(), (turned ? tensor.transpose() : tensor).dup());
                }
            }
            for (AdapterState.Site site : state.sites()) {
                INDArray change =
                        method.delta(site.tensors(), site.scaling()).sub(method.delta(site.start(), site.scaling()));
                boolean turned = site.weight().equals("v.weight"); // stored [out,in]
                INDArray weight = weights.get(site.weight());
                weight.addi(turned ? change.transpose() : change);
                method.magnitude().ifPresent(lengths -> {
                    INDArray columns = turned ? weight.transpose() : weight;
                    columns.muliRowVector(
                            site.tensors().get(lengths).castTo(DataType.DOUBLE).div(columns.norm2(0)));
                });
            }
        }
        return SharedGraph.create(weights)
                .output(SharedGraph.feeds(DataType.DOUBLE), "logits")
                .get("logits");
    }

    private INDArray logits(SameDiff of) {
        return of.output(SharedGraph.feeds(type), "logits").get("logits").dup();
    }

    private INDArray byEngine(Engine engine) {
        return engine.outputs(new HashMap<>(SharedGraph.feeds(type)), List.of("logits"))
                .get("logits")
                .dup();
    }

    @Override
    public void close() {
        readers.forEach(reader -> reader.engine().close());
    }
}
