package dev.samediff.samples.plan;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.compiled.CompiledEngine;
import dev.samediff.adapters.engine.compiled.Targets;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.OLora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.importer.ImportOptions;
import dev.samediff.importer.ImportedModel;
import dev.samediff.importer.LinearLayer;
import dev.samediff.importer.ModelImporter;
import dev.samediff.importer.TensorFlowOptions;
import dev.samediff.importer.TensorSpec;
import dev.samediff.samples.machine.Memory;
import dev.samediff.samples.model.InputBinding;
import dev.samediff.samples.model.LargeModels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Finds out what a training of a language model needs. */
public final class Planner {
    /** The virtual machine with its heap, classes, ND4J's and oneDNN's code: what is left of measured trainings when the rest is taken off. */
    private static final long PROCESS = 400_000_000;

    /** What a row of a table in a file brings into memory: Linux maps large pieces of its cache at once. */
    private static final long TOUCHED = 1 << 20;

    /** A trained number, its gradient and AdamW's two moments. */
    private static final long TRAINED = 4L * Float.BYTES;

    private static final int SHORTEST = 16;
    private static final String USUAL_LOGITS = "logits";

    private final Request request;
    private final ImportedModel imported;
    private final InputBinding inputs;
    private final AdaptedModel adapted;
    private final TaskLoss loss;
    private final boolean rounds;

    /**
     * What is to be trained, and how.
     *
     * @param model the model, of any kind
     * @param config the adapters
     * @param logits the output that scores the next token; found if absent
     * @param batch texts of a step
     * @param length tokens of each
     * @param engine how steps are executed
     */
    public record Request(
            Path model, AdapterConfig config, Optional<String> logits, int batch, int length, EngineOptions engine) {
        public Request {
            if (batch < 1 || length < 2) {
                throw new InvalidInputException(
                        "a batch of " + batch + " texts of " + length + " tokens is none; give 1 or more of 2 or more");
            }
            if (engine.kind() != EngineOptions.Kind.COMPILED) {
                throw new InvalidInputException("a plan is of the compiled engine; leave --engine out");
            }
        }
    }

    private Planner(Request request) {
        this.request = request;
        this.imported = ModelImporter.load(
                request.model(),
                TensorFlowOptions.defaults().withGraph(ImportOptions.defaults().withoutNumbers()));
        this.inputs = InputBinding.causal(imported.graph());
        imported.longestText().ifPresent(most -> requireLength(request.length(), most));
        this.adapted = AdaptedModel.inject(imported, structure(request.config()));
        this.loss = Losses.causalLm(adapted.graph(), logits(imported, request.logits()));
        this.rounds = Targets.roundsWeights(request.engine());
    }

    private static void requireLength(int length, long most) {
        if (length > most) {
            throw new InvalidInputException(
                    "the model sees " + most + " tokens at most; a length of " + length + " is not possible");
        }
    }

    /**
     * Plans.
     *
     * @throws InvalidInputException if the model cannot be imported, is no causal language model, or its step cannot be compiled
     */
    public static TrainingPlanned plan(Request request) {
        return new Planner(request).plan();
    }

    /** The same graph of a step without decompositions, for which there are no numbers. */
    private static AdapterConfig structure(AdapterConfig config) {
        AdapterMethod method = config.method();
        if (!startsFromWeights(method)) {
            return config;
        }
        return AdapterConfig.of(Lora.rank(method.rank()))
                .withTargets(config.targets())
                .withSeed(config.seed())
                .withWhole(config.whole())
                .withDropout(config.dropout());
    }

    private static boolean startsFromWeights(AdapterMethod method) {
        return method instanceof Sorsa || method instanceof Pissa || method instanceof OLora;
    }

    private static String logits(ImportedModel model, Optional<String> given) {
        List<String> names = model.outputs().stream()
                .filter(output -> output.type().isFPType() && output.dims().size() == 3)
                .map(TensorSpec::variable)
                .toList();
        if (given.isPresent()) {
            if (!names.contains(given.get())) {
                throw new InvalidInputException("the model has no output `" + given.get()
                        + "` [texts, tokens, vocabulary]; it has " + String.join(", ", names));
            }
            return given.get();
        }
        if (names.contains(USUAL_LOGITS) || names.size() == 1) {
            return names.contains(USUAL_LOGITS) ? USUAL_LOGITS : names.get(0);
        }
        throw new InvalidInputException(
                "which output scores the next token is not clear; choose one of " + names + " with --logits");
    }

    private TrainingPlanned plan() {
        EngineOptions options = request.engine();
        try (CompiledEngine engine =
                new CompiledEngine(adapted.graph(), loss.loss(), adapted.trainableNames(), options)) {
            int longest = inputs.fixedLength().orElse(request.length());
            long whole = stepBytes(engine, request.batch(), longest);
            StepFit fit = growth(engine, longest);
            List<MemoryPart> parts = new ArrayList<>(weights(engine.weightBytes()));
            parts.add(new MemoryPart("intermediate results", whole));
            parts.removeIf(part -> part.bytes() == 0);
            long rest = parts.stream().mapToLong(MemoryPart::bytes).sum() - whole;
            OptionalLong available = Memory.available();
            long products =
                    matrices().values().stream().mapToLong(Long::longValue).sum();
            long tokens = (long) request.batch() * longest;
            double again = options.recompute() ? 2.0 * (products + adapted.trainableParameters()) : 0;
            return new TrainingPlanned(
                    parts,
                    products,
                    adapted.trainableParameters(),
                    tokens * (4.0 * products + 6.0 * adapted.trainableParameters() + again),
                    ProductRate.gigaflops(options, tokens),
                    diskBytes(),
                    residualBytes(),
                    available,
                    available.isEmpty()
                            ? OptionalLong.empty()
                            : OptionalLong.of(fit.texts(available.getAsLong() - rest, longest)),
                    available.isEmpty() || inputs.fixedLength().isPresent()
                            ? OptionalLong.empty()
                            : OptionalLong.of(longest(fit.length(available.getAsLong() - rest))));
        }
    }

    private long longest(long fitting) {
        return Math.min(fitting, imported.longestText().orElse(Long.MAX_VALUE));
    }

    private StepFit growth(CompiledEngine engine, int length) {
        if (inputs.fixedLength().isPresent() || length < 4 * SHORTEST) {
            long one = stepBytes(engine, 1, length);
            double each = (stepBytes(engine, 2, length) - one) / (double) length;
            return new StepFit(Math.max(0, one - each * length), each, 0);
        }
        return StepFit.of(
                length,
                stepBytes(engine, 1, length),
                stepBytes(engine, 1, length / 2),
                stepBytes(engine, 1, length / 4));
    }

    private long stepBytes(CompiledEngine engine, int batch, int length) {
        return engine.stepBytes(placeholders(batch, length))
                .orElseThrow(() -> new InvalidInputException("the step cannot be compiled"
                        + engine.fallback().map(reason -> ": " + reason).orElse("")
                        + "; there is no plan for it"));
    }

    private Map<String, INDArray> placeholders(int batch, int length) {
        INDArray ids = Nd4j.zeros(DataType.LONG, batch, length);
        int[] lengths = new int[batch];
        Arrays.fill(lengths, length);
        Map<String, INDArray> values = new HashMap<>(inputs.fill(ids, lengths));
        values.put(loss.labels(), Nd4j.zeros(DataType.INT, batch, length));
        values.put(loss.mask(), Nd4j.ones(DataType.FLOAT, batch, length));
        return values;
    }

    /** The weights that tokens are multiplied by, by name, each once. */
    private Map<String, Long> matrices() {
        return imported.linearLayers().stream()
                .collect(Collectors.toMap(LinearLayer::weight, Planner::elements, (one, same) -> one));
    }

    private static long elements(LinearLayer layer) {
        return (long) layer.experts() * layer.in() * layer.out();
    }

    private long total() {
        return imported.graph().variables().stream()
                .filter(variable -> variable.isConstant() && variable.getArr() != null)
                .map(variable -> variable.getArr())
                .filter(array -> array.dataType() == DataType.FLOAT)
                .mapToLong(INDArray::length)
                .sum();
    }

    private boolean isLarge() {
        return Float.BYTES * total() >= LargeModels.LARGE;
    }

    private List<MemoryPart> weights(long copies) {
        SameDiff graph = adapted.graph();
        Map<String, Long> matrices = matrices();
        long products = matrices.values().stream().mapToLong(Long::longValue).sum();
        Function<String, Boolean> isAdapted = weight ->
                adapted.sites().stream().anyMatch(site -> site.layer().weight().equals(weight));
        long inMemory = isLarge()
                ? 0
                : total()
                        - matrices.entrySet().stream()
                                .filter(entry -> rounds && isAdapted.apply(entry.getKey()))
                                .mapToLong(Map.Entry::getValue)
                                .sum();
        List<MemoryPart> parts = new ArrayList<>();
        parts.add(new MemoryPart("the process itself, " + graph.getOps().size() + " operations", PROCESS));
        parts.add(
                rounds
                        ? new MemoryPart("frozen weights in bfloat16", 2 * products)
                        : new MemoryPart("frozen weights, packed for products", copies));
        if (isLarge()) {
            parts.add(new MemoryPart("rows of embedding tables that texts touch, in files", touched()));
        }
        if (inMemory > 0) {
            parts.add(new MemoryPart("weights in float32", Float.BYTES * inMemory));
        } else if (!rounds) {
            parts.add(new MemoryPart("weights in float32 that products read from files", Float.BYTES * products));
        }
        long start = startsFromWeights(request.config().method()) ? Float.BYTES : 0;
        parts.add(new MemoryPart(
                "adapters, their gradients and AdamW's moments", adapted.trainableParameters() * (TRAINED + start)));
        return parts;
    }

    private long touched() {
        long tokens = (long) request.batch() * request.length();
        return imported.embeddings().stream()
                .mapToLong(table -> Math.min(TOUCHED * tokens, (long) Float.BYTES * table.rows() * table.columns()))
                .sum();
    }

    private long diskBytes() {
        return isLarge()
                ? Float.BYTES * total() + residualBytes()
                : (rounds ? Float.BYTES * adaptedWeights() : 0) + residualBytes();
    }

    private long residualBytes() {
        return startsFromWeights(request.config().method()) ? Float.BYTES * adaptedWeights() : 0;
    }

    private long adaptedWeights() {
        return adapted.sites().stream()
                .map(site -> site.layer().weight())
                .distinct()
                .mapToLong(weight -> matrices().getOrDefault(weight, 0L))
                .sum();
    }
}
