package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.plan.Operand;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.jspecify.annotations.Nullable;

/** Makes kernels of layers: softmax, normalisations, lookups, losses, attention. What {@link Kernels} says holds for them, too. */
public final class LayerKernels {
    private final Workspace workspace;

    /**
     * Makes kernels that share working memory.
     *
     * @param workspace the memory
     * @throws IllegalStateException if oneDNN is not there
     */
    public LayerKernels(Workspace workspace) {
        OneDnn.require();
        this.workspace = workspace;
    }

    /** Makes kernels with working memory of their own, which lives as long as they do. */
    public LayerKernels() {
        this(new Workspace());
    }

    /**
     * Softmax of every row along the last axis.
     *
     * @param x the operand
     * @param y the result; may be x, in place
     */
    public Kernel softmax(Operand x, Operand y) {
        Assembly assembly = new Assembly("softmax " + y, workspace);
        Softmaxes.forward(assembly, algorithm.softmax_accurate, TensorView.of(x), TensorView.of(y));
        return assembly.build();
    }

    /**
     * Goes back through softmax: {@code dx = y (dy - sum(dy y))} of every row.
     *
     * @param y the result of the forward pass
     * @param dy gradient of the result
     * @param dx gradient of the input; may be dy, in place
     */
    public Kernel softmaxGrad(Operand y, Operand dy, Operand dx) {
        Assembly assembly = new Assembly("gradient of softmax " + dx, workspace);
        Softmaxes.backward(assembly, TensorView.of(y), TensorView.of(dy), TensorView.of(dx));
        return assembly.build();
    }

    /**
     * Logarithm of the softmax of every row along the last axis.
     *
     * @param x the operand
     * @param y the result; may be x, in place
     */
    public Kernel logSoftmax(Operand x, Operand y) {
        Assembly assembly = new Assembly("log softmax " + y, workspace);
        Softmaxes.forward(assembly, algorithm.softmax_log, TensorView.of(x), TensorView.of(y));
        return assembly.build();
    }

    /**
     * Normalises every row along the last axis: {@code y = (x - mean) / sqrt(variance + eps) scale + shift}.
     *
     * @param eps added to the variance
     * @param x [...,d]
     * @param scale [d]
     * @param shift [d]
     * @param y [...,d]; may be x, in place, if no gradient is wanted
     * @param mean result, one number per row
     * @param variance result, the mean of squared differences, one number per row
     */
    public Kernel layerNorm(
            double eps,
            Operand x,
            @Nullable Operand scale,
            @Nullable Operand shift,
            Operand y,
            Operand mean,
            Operand variance) {
        Assembly assembly = new Assembly("layer norm " + y, workspace);
        LayerNorms.forward(
                assembly,
                new LayerNorms.Forward(
                        eps,
                        TensorView.of(x),
                        Tensors.of(scale),
                        Tensors.of(shift),
                        TensorView.of(y),
                        TensorView.of(mean),
                        TensorView.of(variance)));
        return assembly.build();
    }

    /**
     * Goes back through {@link #layerNorm}.
     *
     * @param eps as in the forward pass
     * @param dy gradient of the result [...,d]
     * @param x input of the forward pass
     * @param mean of the forward pass
     * @param variance of the forward pass
     * @param scale of the forward pass
     * @param dx gradient of x; may be dy, in place
     * @param dScale gradient of scale, if wanted
     * @param dShift gradient of shift, if wanted
     */
    public Kernel layerNormGrad(
            double eps,
            Operand dy,
            Operand x,
            Operand mean,
            Operand variance,
            @Nullable Operand scale,
            Operand dx,
            @Nullable Operand dScale,
            @Nullable Operand dShift) {
        Assembly assembly = new Assembly("gradient of layer norm " + dx, workspace);
        LayerNorms.backward(
                assembly,
                new LayerNorms.Backward(
                        eps,
                        TensorView.of(dy),
                        TensorView.of(x),
                        TensorView.of(mean),
                        TensorView.of(variance),
                        Tensors.of(scale),
                        TensorView.of(dx),
                        Tensors.of(dScale),
                        Tensors.of(dShift)));
        return assembly.build();
    }

    /**
     * Normalises every row by its root mean square: {@code y = x rstd scale}, {@code rstd = 1 / sqrt(mean(x^2) + eps)}.
     *
     * @param eps added to the mean of squares
     * @param x [...,d]
     * @param scale [d]
     * @param y [...,d]; may be x, in place, if no gradient is wanted
     * @param rstd result, one number per row
     */
    public Kernel rmsNorm(double eps, Operand x, @Nullable Operand scale, Operand y, Operand rstd) {
        Assembly assembly = new Assembly("rms norm " + y, workspace);
        RmsNorms.forward(assembly, eps, TensorView.of(x), Tensors.of(scale), TensorView.of(y), TensorView.of(rstd));
        return assembly.build();
    }

    /**
     * Goes back through {@link #rmsNorm}.
     *
     * @param dy gradient of the result [...,d]
     * @param x input of the forward pass
     * @param rstd of the forward pass
     * @param scale of the forward pass
     * @param dx gradient of x; may be dy, in place
     * @param dScale gradient of scale, if wanted
     */
    public Kernel rmsNormGrad(
            Operand dy, Operand x, Operand rstd, @Nullable Operand scale, Operand dx, @Nullable Operand dScale) {
        Assembly assembly = new Assembly("gradient of rms norm " + dx, workspace);
        RmsNorms.backward(
                assembly,
                new RmsNorms.Backward(
                        TensorView.of(dy),
                        TensorView.of(x),
                        TensorView.of(rstd),
                        Tensors.of(scale),
                        TensorView.of(dx),
                        Tensors.of(dScale)));
        return assembly.build();
    }

    /**
     * Looks rows up: {@code dst[i] = table[ids[i]]}. A run throws an {@link dev.samediff.adapters.InvalidInputException}
     * for an id that is not a row of the table, naming its position; ids below zero count from the end.
     *
     * @param table [v,d], FLOAT or BFLOAT16
     * @param ids n numbers, INT or LONG, of any shape
     * @param dst [n,d]
     */
    public Kernel gatherRows(Operand table, Operand ids, Operand dst) {
        Assembly assembly = new Assembly("gather rows of " + table + " to " + dst, workspace);
        Rows.gather(assembly, TensorView.of(table), TensorView.of(ids), TensorView.of(dst));
        return assembly.build();
    }

    /**
     * Overwrites one position of every text: {@code cache[b h, positions[b], :] = rows[b h, :]}, where each text has the same
     * number of h. A run throws an {@link dev.samediff.adapters.InvalidInputException} for a position behind the end.
     *
     * @param rows n * d numbers
     * @param positions as many numbers as there are texts, INT or LONG
     * @param cache [n,t,d], dense, FLOAT
     */
    public Kernel writeRows(Operand rows, Operand positions, Operand cache) {
        Assembly assembly = new Assembly("write " + rows + " to positions of " + cache, workspace);
        Rows.write(assembly, TensorView.of(rows), TensorView.of(positions), TensorView.of(cache));
        return assembly.build();
    }

    /**
     * Goes back through {@link #gatherRows}: {@code dTable = 0}, then {@code dTable[ids[i]] += dy[i]} in order of i.
     *
     * @param dy [n,d]
     * @param ids n numbers, INT or LONG, of any shape
     * @param dTable [v,d]
     */
    public Kernel scatterAddRows(Operand dy, Operand ids, Operand dTable) {
        Assembly assembly = new Assembly("scatter-add " + dy + " to rows of " + dTable, workspace);
        Rows.scatterAdd(assembly, TensorView.of(dy), TensorView.of(ids), TensorView.of(dTable));
        return assembly.build();
    }

    /**
     * Weighted cross entropy: {@code loss = sum_i weights[i] (logSumExp[i] - logits[i,labels[i]])}. Labels of weight 0 are
     * not looked at; a run throws an {@link dev.samediff.adapters.InvalidInputException} for any other label that is no
     * column of the logits, naming its position.
     *
     * @param logits [n,v]
     * @param labels n numbers, INT or LONG
     * @param weights n numbers
     * @param loss result, one number
     * @param logSumExp result, n numbers, for the backward pass; may be 0 where the weight is 0
     */
    public Kernel crossEntropy(Operand logits, Operand labels, Operand weights, Operand loss, Operand logSumExp) {
        Assembly assembly = new Assembly("cross entropy " + logits, workspace);
        CrossEntropies.forward(
                assembly,
                TensorView.of(logits),
                TensorView.of(labels),
                TensorView.of(weights),
                TensorView.of(loss),
                TensorView.of(logSumExp));
        return assembly.build();
    }

    /**
     * Goes back through {@link #crossEntropy}:
     * {@code dLogits[i] = scale weights[i] (softmax(logits[i]) - onehot(labels[i]))}.
     *
     * @param logits of the forward pass
     * @param labels of the forward pass
     * @param weights of the forward pass
     * @param logSumExp of the forward pass
     * @param scale gradient of the loss, one number
     * @param dLogits result, of the layout of logits; may be logits, in place
     */
    public Kernel crossEntropyGrad(
            Operand logits, Operand labels, Operand weights, Operand logSumExp, Operand scale, Operand dLogits) {
        Assembly assembly = new Assembly("gradient of cross entropy " + logits, workspace);
        CrossEntropies.backward(
                assembly,
                new CrossEntropies.Backward(
                        TensorView.of(logits),
                        TensorView.of(labels),
                        TensorView.of(weights),
                        TensorView.of(logSumExp),
                        TensorView.of(scale),
                        TensorView.of(dLogits)));
        return assembly.build();
    }

    /**
     * Attention: {@code out = softmax(scale q k^T + mask) v} for every batch and head. Scores exist for a few heads and
     * rows at a time; keys that a mask hides from all rows of such a tile are not computed.
     *
     * @param q queries [b,h,t,d]
     * @param k keys [b,k,s,d]; h is a multiple of k, and h / k heads in a row share one
     * @param v values [b,k,s,e]
     * @param mask added to the scores; every axis equal to that of [b,h,t,s] or 1
     * @param scale factor of the scores
     * @param out [b,h,t,e]
     */
    public Kernel attention(Operand q, Operand k, Operand v, @Nullable Operand mask, double scale, Operand out) {
        Attention a = new Attention(
                "attention", TensorView.of(q), TensorView.of(k), TensorView.of(v), Tensors.of(mask), scale);
        return Attentions.forward(workspace, "attention " + q + " keys " + k, a, TensorView.of(out));
    }

    /**
     * Goes back through {@link #attention}. Probabilities are computed again, nothing needs to be kept but the inputs.
     *
     * @param dOut gradient of the result [b,h,t,e]
     * @param q of the forward pass
     * @param k of the forward pass
     * @param v of the forward pass
     * @param mask of the forward pass
     * @param scale of the forward pass
     * @param dq gradient of q, elsewhere than all other operands
     * @param dk gradient of k, elsewhere than all other operands
     * @param dv gradient of v, elsewhere than all other operands
     */
    public Kernel attentionGrad(
            Operand dOut,
            Operand q,
            Operand k,
            Operand v,
            @Nullable Operand mask,
            double scale,
            Operand dq,
            Operand dk,
            Operand dv) {
        Attention a = new Attention(
                "gradient of attention", TensorView.of(q), TensorView.of(k), TensorView.of(v), Tensors.of(mask), scale);
        return Attentions.backward(
                workspace,
                "gradient of attention " + q + " keys " + k,
                a,
                TensorView.of(dOut),
                TensorView.of(dq),
                TensorView.of(dk),
                TensorView.of(dv));
    }
}
