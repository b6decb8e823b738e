package dev.samediff.dl4j.conf;

import dev.samediff.adapters.Penalty;
import dev.samediff.adapters.method.AdapterMethods;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * One tensor's share of a method's penalty as a DL4J regularisation: of SORSA, {@code gamma / eta_max ||U^T U - I||_F^2} on U
 * and {@code gamma / eta_max ||V V^T - I||_F^2} on V^T (SORSA, equation 10), and nothing on S.
 *
 * <p>It is added before the updater, as in the authors' trainer: after the gradient was clipped and divided by the batch
 * size, so that neither touches it, and multiplied by the current learning rate like the gradient.
 *
 * @param method the method's name
 * @param settings the method's settings
 * @param tensor name and shape; DL4J hands parameters over as flat vectors
 * @param sites how many weights share the penalty
 * @param coefficient gamma / eta_max
 */
public record PenaltyRegularization(
        @JsonProperty("method") String method,
        @JsonProperty("settings") Map<String, String> settings,
        @JsonProperty("tensor") AdapterTensor tensor,
        @JsonProperty("sites") int sites,
        @JsonProperty("coefficient") double coefficient)
        implements Regularization {
    @JsonCreator
    public PenaltyRegularization {
        settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
    }

    /** Returns whether a penalty depends on a tensor. */
    public static boolean dependsOn(Penalty penalty, AdapterTensor tensor) {
        return tensor.shape().size() == 2
                && penalty.term(tensor.name(), Nd4j.zeros(tensor.dimensions()), 1)
                        .isPresent();
    }

    @Override
    public ApplyStep applyStep() {
        return ApplyStep.BEFORE_UPDATER;
    }

    @Override
    public void apply(INDArray param, INDArray gradView, double lr, int iteration, int epoch) {
        INDArray gradient = term(param).gradient();
        gradView.addi(gradient.muli(coefficient).reshape('c', gradView.shape()));
    }

    @Override
    public double score(INDArray param, int iteration, int epoch) {
        return coefficient * term(param).value();
    }

    @Override
    public Regularization clone() {
        return this;
    }

    private Penalty.Term term(INDArray param) {
        return AdapterMethods.named(
                        method,
                        (int) Math.min(tensor.dimensions()[0], tensor.dimensions()[1]),
                        OptionalDouble.empty(),
                        settings)
                .penalty()
                .flatMap(penalty -> penalty.term(tensor.name(), param.reshape('c', tensor.dimensions()), sites))
                .orElseThrow(() -> new IllegalStateException(
                        "the method " + method + " has no penalty on the tensor " + tensor.name()));
    }
}
