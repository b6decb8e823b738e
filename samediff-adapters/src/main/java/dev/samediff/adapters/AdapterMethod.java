package dev.samediff.adapters;

import dev.samediff.adapters.linalg.Decompositions;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A way to adapt a frozen linear layer or embedding with a few trainable numbers: LoRA, OLoRA, PiSSA, SORSA, DoRA, AdaLoRA.
 *
 * <p>A method is one record in one file: hyper-parameters, how it starts, its branch in the graph, its weight change,
 * and an optional penalty. Everything else (finding layers, orientation, freezing, rewiring, scaling, saving, merging)
 * is generic. All shapes are those of {@code y = x W} with {@code W [in,out]}; an embedding is the case {@code x = onehot(ids)}.
 * Of a stack of experts, each is a layer of its own to every method but {@link #adapt}, which gets all of them at once.
 */
public interface AdapterMethod {
    /** Returns the short lower-case name: {@code lora}, {@code olora}, {@code pissa}, {@code sorsa}, {@code dora}, {@code adalora}. */
    String name();

    /** Returns the rank of layers that no rank pattern names. */
    int rank();

    /**
     * Returns alpha of layers that no alpha pattern names. Empty means that each layer's alpha is its rank, so that
     * alpha / rank is 1 whatever a rank pattern says.
     */
    OptionalDouble alpha();

    /**
     * Returns the factor s of the branch for a layer of this rank and alpha.
     *
     * @param rank the layer's rank
     * @param alpha the layer's alpha
     */
    double scaling(int rank, double alpha);

    /**
     * Returns the hyper-parameters other than rank and alpha as text, in a fixed order, for files and tables;
     * {@code AdapterMethods.named} turns them back into the method.
     */
    Map<String, String> settings();

    /** Returns the same method with another default rank; alpha stays what it was. */
    AdapterMethod withRank(int rank);

    /**
     * Computes the start of the adapter on one layer.
     *
     * @param weight the frozen weight [in,out], float32, not modified; a view is allowed
     * @param site the layer with its rank and scaling
     * @param linalg decompositions on the host
     * @param seed seed of this layer's random numbers
     */
    Factorization factorize(INDArray weight, SiteShape site, Decompositions linalg, long seed);

    /**
     * Adds the branch to the graph and returns the layer's new output.
     *
     * @param use the layer's input, its output without the branch, and its weight
     * @param scaling a scalar of the graph that holds s; 0 switches the branch off: the result is {@code base} then, to the last bit
     * @param trainables graph variables by short name, shaped as in {@link Factorization}; of experts [experts,a,b], vectors
     *     [experts,1,a]
     * @param prefix start of the names of all variables created here
     * @return adapted output [N,out]
     */
    SDVariable adapt(LayerUse use, SDVariable scaling, Map<String, SDVariable> trainables, String prefix);

    /**
     * Returns the weight change [in,out] that the branch stands for, computed and returned in float64; of a method with a {@link
     * #magnitude}, the change before columns are brought to their lengths.
     *
     * @param trainables tensors by short name
     * @param scaling the layer's s
     */
    INDArray delta(Map<String, INDArray> trainables, double scaling);

    /**
     * Returns the gradients of the trainables for a gradient of {@link #delta}, in closed form: the way back for frameworks
     * that compute with whole weights, such as DL4J's layers.
     *
     * @param trainables tensors by short name
     * @param scaling the layer's s
     * @param ofDelta dL/d(delta) [in,out], of the tensors' type; not modified, a view is allowed
     * @return dL/d(tensor) by short name, shaped and typed as the tensors; without those of the {@link #magnitude} and
     *     the {@link #bias}
     */
    Map<String, INDArray> deltaGradients(Map<String, INDArray> trainables, double scaling, INDArray ofDelta);

    /**
     * Returns A [in,r] and B [r,out] with {@code s A B} equal to {@link #delta}, for files that hold a plain LoRA.
     *
     * @param trainables tensors by short name
     */
    Map<String, INDArray> asLora(Map<String, INDArray> trainables);

    /**
     * Returns the short name of the tensor m [out] that holds the lengths of the adapted weight's columns, if this method trains
     * lengths and directions apart (DoRA). The layer then has the weight {@code f (W + delta)}, column j times {@code f_j = m_j / ||(W +
     * delta)_j||}, and 1 where that column is zero.
     */
    default Optional<String> magnitude() {
        return Optional.empty();
    }

    /**
     * Returns the short name of the tensor c [out] that this method adds to a layer's output beside the weight's change, {@code s c},
     * if it does (PEFT's {@code lora_bias}).
     */
    default Optional<String> bias() {
        return Optional.empty();
    }

    /**
     * Returns the tensors by which this method multiplies a layer, if it does that and nothing else ((IA)^3). Such a method has no {@link
     * #delta}, {@link #deltaGradients} and {@link #asLora}, which nobody asks for then; its factors are 1 at the start.
     */
    default Optional<Scales> scales() {
        return Optional.empty();
    }

    /**
     * Returns why nothing of this method can be merged into weights, if it is no change of a weight (bottleneck adapters), to follow the words "the
     * adapter". Such a method has no {@link #delta}, {@link #deltaGradients} and {@link #asLora}, and no form in PEFT's files.
     */
    default Optional<String> unmergeable() {
        return Optional.empty();
    }

    /** Returns whether this method adds a change of low rank to a weight, with what else it does. */
    default boolean isLowRank() {
        return scales().isEmpty() && unmergeable().isEmpty();
    }

    /** Returns whether what this method does depends on what others do to the same layer, so that they cannot be active together. */
    default boolean actsAlone() {
        return magnitude().isPresent() || scales().isPresent();
    }

    /** Returns the short names of tensors that stay as they start (LoRA-FA's A); they are constants of the graph. */
    default Set<String> frozen() {
        return Set.of();
    }

    /** Returns the penalty this method adds to the loss, if it has one. */
    default Optional<Penalty> penalty() {
        return Optional.empty();
    }

    /**
     * Returns what this method does after every update, if it does anything, as a new object for one training. Who trains without
     * this library's trainer, such as {@code SameDiff.fit}, leaves it out.
     */
    default Optional<AfterStep> afterStep() {
        return Optional.empty();
    }
}
