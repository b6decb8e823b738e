package dev.samediff.adapters.engine.fusion;

import static dev.samediff.adapters.engine.fusion.Pattern.any;
import static dev.samediff.adapters.engine.fusion.Pattern.binary;
import static dev.samediff.adapters.engine.fusion.Pattern.ofLastAxis;
import static dev.samediff.adapters.engine.fusion.Pattern.oneOf;
import static dev.samediff.adapters.engine.fusion.Pattern.op;
import static dev.samediff.adapters.engine.fusion.Pattern.reshaped;
import static dev.samediff.adapters.engine.fusion.Pattern.unary;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.ReduceKind;
import dev.samediff.adapters.engine.program.Tensor;
import dev.samediff.adapters.engine.program.UnaryKind;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * {@code sum_i w_i (log sum_j exp(z_ij - m_i) - sum_j [label_i = j] (z_ij - m_i))} of logits [n,V], whatever m is: it cancels,
 * and so does its derivative. This is the loss of {@code train.loss.Losses}.
 *
 * <p>The node has no derivative by the weights. Where something trainable reaches them, as in a focal loss or in learned
 * weights of examples, the steps stay.
 */
final class WeightedCrossEntropy implements Form {
    private static final Pattern SHIFTED = oneOf(
            binary(BinaryKind.SUBTRACT, any("logits"), any("m")).as("shifted").where(WeightedCrossEntropy::isPerRow),
            any("logits").as("shifted"));

    private static final Pattern LOG_SUM =
            reshaped(unary(UnaryKind.LOG, reshaped(ofLastAxis(ReduceKind.SUM, unary(UnaryKind.EXP, SHIFTED)))));

    private static final Pattern ONE_HOT = nd4j(
                    "cast",
                    oneOf(nd4j("equals", any("labels"), any("range")), nd4j("equals", any("range"), any("labels"))))
            .where(WeightedCrossEntropy::isOneHot);

    private static final Pattern CHOSEN = reshaped(ofLastAxis(
            ReduceKind.SUM, binary(BinaryKind.MULTIPLY, any("shifted"), ONE_HOT).as("chosen")));

    @Override
    public Pattern pattern() {
        Pattern rows = binary(BinaryKind.SUBTRACT, LOG_SUM, CHOSEN).as("rows");
        Pattern weighted =
                binary(BinaryKind.MULTIPLY, reshaped(rows), any("weights")).as("weighted");
        return op(Op.Reduce.class, op -> op.kind() == ReduceKind.SUM, weighted)
                .as("loss")
                .where(WeightedCrossEntropy::fits);
    }

    private static Pattern nd4j(String name, Pattern... inputs) {
        return op(Op.Nd4j.class, op -> op.call().op().opName().equals(name), inputs);
    }

    /** One m for every row, which makes the logits no larger. */
    private static boolean isPerRow(Match match) {
        Tensor logits = match.old("logits");
        Tensor m = match.old("m");
        return match.old("shifted").hasShape(logits.shape())
                && logits.rank() == 2
                && m.size(-1) == 1
                && m.length() == m.size(0);
    }

    /** Labels down the rows, [n,1], compared with 0 to V - 1 along the columns. */
    private static boolean isOneHot(Match match) {
        Tensor labels = match.old("labels");
        Tensor range = match.old("range");
        boolean oriented = labels.rank() == 2
                && labels.size(1) == 1
                && range.rank() <= 2
                && range.rank() > 0
                && range.length() == range.size(-1);
        boolean whole = labels.type() == DataType.INT || labels.type() == DataType.LONG;
        return oriented && whole && isRange(match.site().literal(range));
    }

    private static boolean isRange(@Nullable INDArray value) {
        if (value == null || value.isEmpty()) {
            return false;
        }
        long[] numbers = value.toLongVector();
        for (int i = 0; i < numbers.length; i++) {
            if (numbers[i] != i) {
                return false;
            }
        }
        return true;
    }

    /** Every step has the shape of all rows or of all logits, so that nothing was repeated on the way. */
    private static boolean fits(Match match) {
        Tensor logits = match.old("logits");
        if (logits.rank() != 2 || logits.type() != DataType.FLOAT) {
            return false;
        }
        long n = logits.size(0);
        return match.old("chosen").hasShape(logits.shape())
                && match.old("range").length() == logits.size(1)
                && match.old("labels").length() == n
                && match.old("weights").length() == n
                && match.old("rows").length() == n
                && match.old("weighted").length() == n
                && match.old("loss").length() == 1
                && !match.site().isTrained(match.old("weights"));
    }

    @Override
    public Tensor result(Match match) {
        long n = match.old("logits").size(0);
        Tensor loss = match.builder()
                .add(
                        new Op.CrossEntropy(),
                        List.of(
                                match.get("logits"),
                                match.builder().reshape(match.get("labels"), n),
                                match.builder().reshape(match.get("weights"), n)),
                        List.of(DataType.FLOAT, DataType.FLOAT),
                        List.of(new long[] {}, new long[] {n}))
                .get(0);
        return match.builder().reshape(loss, match.old("loss").shape());
    }
}
