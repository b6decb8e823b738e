package dev.samediff.adapters.engine.oracle;

import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import java.util.List;

/** Softmax, attention, normalisations, the cross entropy, and their gradients. */
final class LayerMath {
    /** From here on graphs hide: float32 leaves nothing of a score of ordinary size, or next to nothing. */
    private static final double HIDDEN = -1e8;

    private LayerMath() {}

    static List<Values> apply(Node node, List<Values> in) {
        Op op = node.op();
        if (op instanceof Op.Softmax) {
            return List.of(OpMath.softmax(in.get(0)));
        }
        if (op instanceof Op.SoftmaxGrad) {
            return List.of(OpMath.softmaxGrad(in.get(0), in.get(1)));
        }
        if (op instanceof Op.Attention attention) {
            Values p = probabilities(in.get(0), in.get(1), attention.mask() ? in.get(3) : null, attention.scale());
            Values v = repeated(in.get(2), in.get(0).size(1));
            return List.of(OpMath.product(p, v, 1, node.output().shape()));
        }
        if (op instanceof Op.AttentionGrad attention) {
            return attentionGrad(attention, in);
        }
        if (op instanceof Op.LayerNorm norm) {
            return layerNorm(norm, in);
        }
        if (op instanceof Op.LayerNormGrad norm) {
            return layerNormGrad(norm, in);
        }
        if (op instanceof Op.RmsNorm norm) {
            return rmsNorm(norm, in);
        }
        if (op instanceof Op.RmsNormGrad norm) {
            return rmsNormGrad(norm, in);
        }
        if (op instanceof Op.CrossEntropy) {
            return crossEntropy(node, in);
        }
        if (op instanceof Op.CrossEntropyGrad) {
            return List.of(crossEntropyGrad(in));
        }
        throw new IllegalStateException("no oracle of " + op.title());
    }

    private static Values probabilities(
            Values q, Values k, @org.jspecify.annotations.Nullable Values mask, double scale) {
        long[] shape = {q.size(0), q.size(1), q.size(2), k.size(2)};
        Values scores = OpMath.product(q, transposed(repeated(k, q.size(1))), scale, shape);
        return OpMath.softmax(Values.of(
                shape, i -> masked(scores.data()[i], mask == null ? 0 : mask.broadcast(Values.index(shape, i)))));
    }

    /** In float32, what a mask hides is the mask alone: a row that sees nothing sees all alike, whatever its scores are. */
    private static double masked(double score, double mask) {
        return mask > HIDDEN ? score + mask : (float) (score + mask);
    }

    /** Heads of keys or values, each as often as queries share it. */
    private static Values repeated(Values x, int heads) {
        long[] shape = {x.size(0), heads, x.size(2), x.size(3)};
        int sharing = heads / x.size(1);
        return Values.of(shape, i -> {
            long[] index = Values.index(shape, i);
            index[1] /= sharing;
            return x.at(index);
        });
    }

    private static Values summed(Values x, int heads) {
        Values sum = Values.zeros(x.size(0), heads, x.size(2), x.size(3));
        int sharing = x.size(1) / heads;
        for (int i = 0; i < x.data().length; i++) {
            long[] index = Values.index(x.shape(), i);
            index[1] /= sharing;
            sum.data()[sum.position(index)] += x.data()[i];
        }
        return sum;
    }

    private static Values transposed(Values x) {
        long[] shape = {x.size(0), x.size(1), x.size(3), x.size(2)};
        return Values.of(shape, i -> {
            long[] index = Values.index(shape, i);
            return x.at(index[0], index[1], index[3], index[2]);
        });
    }

    private static List<Values> attentionGrad(Op.AttentionGrad op, List<Values> in) {
        Values g = in.get(0);
        Values q = in.get(1);
        int heads = q.size(1);
        Values k = repeated(in.get(2), heads);
        Values v = repeated(in.get(3), heads);
        Values p = probabilities(q, in.get(2), op.mask() ? in.get(4) : null, op.scale());
        Values dv = OpMath.product(transposed(p), g, 1, v.shape());
        Values dp = OpMath.product(g, transposed(v), 1, p.shape());
        Values ds = OpMath.softmaxGrad(p, dp);
        Values dq = OpMath.product(ds, k, op.scale(), q.shape());
        Values dk = OpMath.product(transposed(ds), q, op.scale(), k.shape());
        int own = in.get(2).size(1);
        return List.of(dq, summed(dk, own), summed(dv, own));
    }

    private static List<Values> layerNorm(Op.LayerNorm op, List<Values> in) {
        Values x = in.get(0);
        int rows = x.size(0);
        int width = x.size(1);
        Values y = Values.zeros(rows, width);
        Values mean = Values.zeros(rows);
        Values variance = Values.zeros(rows);
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < width; j++) {
                mean.data()[i] += x.at(i, j) / width;
            }
            for (int j = 0; j < width; j++) {
                variance.data()[i] += Math.pow(x.at(i, j) - mean.at(i), 2) / width;
            }
            for (int j = 0; j < width; j++) {
                double scale = op.scale() ? in.get(1).at(j) : 1;
                double shift = op.shift() ? in.get(op.scale() ? 2 : 1).at(j) : 0;
                y.data()[i * width + j] =
                        (x.at(i, j) - mean.at(i)) / Math.sqrt(variance.at(i) + op.epsilon()) * scale + shift;
            }
        }
        return List.of(y, mean, variance);
    }

    private static List<Values> layerNormGrad(Op.LayerNormGrad op, List<Values> in) {
        Values g = in.get(0);
        Values x = in.get(1);
        int rows = x.size(0);
        int width = x.size(1);
        Values dx = Values.zeros(rows, width);
        Values scales = Values.zeros(width);
        Values shifts = Values.zeros(width);
        for (int i = 0; i < rows; i++) {
            double inverse = 1 / Math.sqrt(in.get(3).at(i) + op.epsilon());
            double sum = 0;
            double product = 0;
            for (int j = 0; j < width; j++) {
                double normal = (x.at(i, j) - in.get(2).at(i)) * inverse;
                double upstream = g.at(i, j) * (op.scale() ? in.get(4).at(j) : 1);
                sum += upstream / width;
                product += upstream * normal / width;
                scales.data()[j] += g.at(i, j) * normal;
                shifts.data()[j] += g.at(i, j);
            }
            for (int j = 0; j < width; j++) {
                double normal = (x.at(i, j) - in.get(2).at(i)) * inverse;
                double upstream = g.at(i, j) * (op.scale() ? in.get(4).at(j) : 1);
                dx.data()[i * width + j] = inverse * (upstream - sum - normal * product);
            }
        }
        return op.parameters() ? List.of(dx, scales, shifts) : List.of(dx);
    }

    private static List<Values> rmsNorm(Op.RmsNorm op, List<Values> in) {
        Values x = in.get(0);
        int rows = x.size(0);
        int width = x.size(1);
        Values y = Values.zeros(rows, width);
        Values inverse = Values.zeros(rows);
        for (int i = 0; i < rows; i++) {
            double squares = 0;
            for (int j = 0; j < width; j++) {
                squares += x.at(i, j) * x.at(i, j) / width;
            }
            inverse.data()[i] = 1 / Math.sqrt(squares + op.epsilon());
            for (int j = 0; j < width; j++) {
                y.data()[i * width + j] =
                        x.at(i, j) * inverse.at(i) * (op.scale() ? in.get(1).at(j) : 1);
            }
        }
        return List.of(y, inverse);
    }

    private static List<Values> rmsNormGrad(Op.RmsNormGrad op, List<Values> in) {
        Values g = in.get(0);
        Values x = in.get(1);
        int rows = x.size(0);
        int width = x.size(1);
        Values dx = Values.zeros(rows, width);
        Values scales = Values.zeros(width);
        for (int i = 0; i < rows; i++) {
            double inverse = in.get(2).at(i);
            double product = 0;
            for (int j = 0; j < width; j++) {
                double upstream = g.at(i, j) * (op.scale() ? in.get(3).at(j) : 1);
                product += upstream * x.at(i, j) * inverse / width;
                scales.data()[j] += g.at(i, j) * x.at(i, j) * inverse;
            }
            for (int j = 0; j < width; j++) {
                double upstream = g.at(i, j) * (op.scale() ? in.get(3).at(j) : 1);
                dx.data()[i * width + j] = inverse * (upstream - x.at(i, j) * inverse * product);
            }
        }
        return op.parameters() ? List.of(dx, scales) : List.of(dx);
    }

    private static List<Values> crossEntropy(Node node, List<Values> in) {
        Values logits = in.get(0);
        int rows = logits.size(0);
        int width = logits.size(1);
        Values logSums = Values.zeros(rows);
        double loss = 0;
        for (int i = 0; i < rows; i++) {
            double weight = in.get(2).at(i);
            if (weight == 0) {
                continue;
            }
            double largest = Double.NEGATIVE_INFINITY;
            for (int j = 0; j < width; j++) {
                largest = Math.max(largest, logits.at(i, j));
            }
            double sum = 0;
            for (int j = 0; j < width; j++) {
                sum += Math.exp(logits.at(i, j) - largest);
            }
            logSums.data()[i] = Math.log(sum) + largest;
            loss += weight * (logSums.at(i) - logits.at(i, (long) in.get(1).at(i)));
        }
        return List.of(new Values(node.output().shape(), new double[] {loss}), logSums);
    }

    private static Values crossEntropyGrad(List<Values> in) {
        Values logits = in.get(0);
        return Values.of(logits.shape(), i -> {
            int row = i / logits.size(1);
            double factor = in.get(4).data()[0] * in.get(2).at(row);
            double chosen = in.get(1).at(row) == i % logits.size(1) ? 1 : 0;
            return factor == 0
                    ? 0
                    : factor * (Math.exp(logits.data()[i] - in.get(3).at(row)) - chosen);
        });
    }
}
