package dev.samediff.adapters.task;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.GraphVersion;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A linear layer on top of a model, as Hugging Face's {@code AutoModelForSequenceClassification} and {@code
 * AutoModelForTokenClassification} put one there: {@code logits = pooled W + b}. It starts as they do: W from N(0, 0.02^2), b zero.
 *
 * <pre>{@code
 * String logits = TaskHead.classification(77).addTo(graph, "last_hidden_state", 312, "attention_mask");
 * AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(8)).withModulesToSave("classifier"));
 * TaskLoss loss = Losses.classification(graph, logits);
 * }</pre>
 *
 * <p>The head is added before the adapter is injected, and again, by the same call, before a saved adapter is.
 *
 * @param module module path of the layer; its tensors are {@code <module>.weight} [width,outputs] and {@code <module>.bias}
 * @param outputs how many numbers it computes
 * @param pooling how a text's features become one vector
 * @param seed seed of W
 */
public record TaskHead(String module, int outputs, Pooling pooling, long seed) {
    /** Standard deviation of W at the start, {@code initializer_range} of Hugging Face's configurations. */
    public static final double DEVIATION = 0.02;

    private static final Logger LOG = LoggerFactory.getLogger(TaskHead.class);
    private static final String MODULE = "classifier";
    private static final String ROWS = "/head_rows";

    public TaskHead {
        if (outputs < 1) {
            throw new InvalidInputException(
                    "the head `" + module + "` has " + outputs + " outputs; expected 1 or more");
        }
        if (!module.matches("[A-Za-z0-9_]+(\\.[A-Za-z0-9_]+)*")) {
            throw new InvalidInputException("the head's module path `" + module
                    + "` cannot be one; use letters, digits and `_`, with dots between names");
        }
    }

    /** Returns a head for one of several classes, on the first token's features: scores [batch, classes]. */
    public static TaskHead classification(int classes) {
        return new TaskHead(MODULE, classes, Pooling.FIRST, 0);
    }

    /** Returns a head for numbers, on the first token's features: predictions [batch, numbers]. */
    public static TaskHead regression(int numbers) {
        return new TaskHead(MODULE, numbers, Pooling.FIRST, 0);
    }

    /** Returns a head for a class of every token: scores [batch, tokens, classes]. */
    public static TaskHead tagging(int classes) {
        return new TaskHead(MODULE, classes, Pooling.EACH, 0);
    }

    /** Returns this head on features that are pooled otherwise. */
    public TaskHead withPooling(Pooling newPooling) {
        return new TaskHead(module, outputs, newPooling, seed);
    }

    /** Returns this head under another module path, such as {@code score}. */
    public TaskHead withModule(String newModule) {
        return new TaskHead(newModule, outputs, pooling, seed);
    }

    /** Returns this head with another start. */
    public TaskHead withSeed(long newSeed) {
        return new TaskHead(module, outputs, pooling, newSeed);
    }

    /**
     * Adds the head to a graph.
     *
     * @param graph the graph; gets {@code <module>.weight}, {@code <module>.bias} and the result {@code logits}, or {@code
     *     <module>/logits} where that name is taken
     * @param features name of the features: [batch, tokens, width], or [batch, width] with {@link Pooling#GIVEN}
     * @param width their last size
     * @param mask name of the attention mask [batch, tokens], 1 for tokens and 0 for padding; needed for {@link Pooling#MEAN} and
     *     {@link Pooling#LAST} only
     * @return name of the result
     * @throws InvalidInputException if a variable is not there or is no such thing, or the graph has such a module already
     */
    public String addTo(SameDiff graph, String features, int width, Optional<String> mask) {
        SDVariable given = PooledFeatures.require(graph, features, "features");
        if (!given.dataType().isFPType()) {
            throw new InvalidInputException("the features `" + features + "` are of type " + given.dataType()
                    + "; a head needs floating point numbers");
        }
        if (graph.hasVariable(module + ".weight") || graph.hasVariable(module + ".bias")) {
            throw new InvalidInputException("the graph has a module `" + module
                    + "` already; train that one by withModulesToSave, or give the head another name by withModule");
        }
        if (width < 1) {
            throw new InvalidInputException(
                    "the features `" + features + "` are said to be " + width + " wide; expected 1 or more");
        }
        SDVariable weight = graph.var(module + ".weight", start(width).castTo(given.dataType()));
        SDVariable bias = graph.var(module + ".bias", Nd4j.zeros(given.dataType(), outputs));
        SDVariable pooled = new PooledFeatures(graph, module, pooling).of(given, mask);
        SDVariable rows = graph.reshape(module + ROWS, pooled, -1, width);
        SDVariable scores = graph.mmul(module + "/product", rows, weight).add(module + "/scores", bias);
        String name = graph.hasVariable("logits") ? module + "/logits" : "logits";
        shaped(graph, scores, pooled, name);
        GraphVersion.of(graph).structureChanged();
        LOG.info(
                "the head {} [{},{}] is new: {}.weight and {}.bias start from random numbers and zeros, and must be trained",
                module,
                width,
                outputs,
                module,
                module);
        return name;
    }

    /** Adds the head to features that need no mask, see {@link #addTo(SameDiff, String, int, Optional)}. */
    public String addTo(SameDiff graph, String features, int width) {
        return addTo(graph, features, width, Optional.empty());
    }

    /** Adds the head to features and their mask, see {@link #addTo(SameDiff, String, int, Optional)}. */
    public String addTo(SameDiff graph, String features, int width, String mask) {
        return addTo(graph, features, width, Optional.of(mask));
    }

    /**
     * Returns the module paths of a graph's heads that were never trained: those whose bias is still zero.
     *
     * @param graph the graph
     */
    public static List<String> untrained(SameDiff graph) {
        return graph.variables().stream()
                .map(SDVariable::name)
                .filter(name -> name.endsWith(ROWS))
                .map(name -> name.substring(0, name.length() - ROWS.length()))
                .filter(head -> graph.hasVariable(head + ".bias")
                        && graph.getVariable(head + ".bias")
                                        .getArr()
                                        .amaxNumber()
                                        .doubleValue()
                                == 0)
                .toList();
    }

    private INDArray start(int width) {
        Random random = new Random(seed);
        float[] numbers = new float[Math.multiplyExact(width, outputs)];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (float) (DEVIATION * random.nextGaussian());
        }
        return Nd4j.createFromArray(numbers).reshape(width, outputs).dup('c');
    }

    /** Gives the scores, one row for every vector, the shape that belongs to the features, and their name. */
    private void shaped(SameDiff graph, SDVariable scores, SDVariable features, String name) {
        if (pooling != Pooling.EACH) {
            scores.rename(name);
            return;
        }
        SDVariable shape = graph.stack(
                0,
                graph.sizeAt(features, 0).castTo(DataType.INT64),
                graph.sizeAt(features, 1).castTo(DataType.INT64),
                graph.constant(module + "/outputs", Nd4j.scalar(DataType.INT64, outputs)));
        graph.reshape(scores, shape).rename(name);
    }
}
