package dev.samediff.adapters.engine.program;

/** The part of {@link OpCheck} about whole layers and lookups, and their gradients. */
final class LayerCheck {
    private final OpCheck check;

    LayerCheck(OpCheck check) {
        this.check = check;
    }

    void run() {
        Op op = check.node().op();
        if (op instanceof Op.Gather) {
            check.arity(2, 1);
            Tensor table = check.in(0);
            check.require(table.rank() == 2 && table.type() == check.out(0).type(), "a table of the output's type");
            indices(1);
            check.shape(check.out(0), check.in(1).length(), table.size(1));
        } else if (op instanceof Op.GatherGrad) {
            check.arity(2, 1);
            check.isFloat(check.in(0));
            check.isFloat(check.out(0));
            indices(1);
            check.require(check.out(0).rank() == 2, "the table is [V,D]");
            check.shape(check.in(0), check.in(1).length(), check.out(0).size(1));
        } else if (op instanceof Op.WriteRows) {
            writeRows();
        } else if (op instanceof Op.Attention attention) {
            check.arity(attention.mask() ? 4 : 3, 1);
            check.floats();
            attention(0, attention.mask(), check.out(0));
        } else if (op instanceof Op.AttentionGrad attention) {
            check.arity(attention.mask() ? 5 : 4, 3);
            check.floats();
            attention(1, attention.mask(), check.in(0));
            for (int i = 0; i < 3; i++) {
                check.same(check.in(i + 1).shape(), check.out(i));
            }
        } else if (op instanceof Op.LayerNorm norm) {
            check.arity(1 + (norm.scale() ? 1 : 0) + (norm.shift() ? 1 : 0), 3);
            norm(check.in(0), 1);
            check.shape(check.out(1), check.in(0).size(0));
            check.shape(check.out(2), check.in(0).size(0));
        } else if (op instanceof Op.LayerNormGrad norm) {
            check.arity(norm.scale() ? 5 : 4, norm.parameters() ? 3 : 1);
            normGrad(4, check.in(1));
            check.shape(check.in(2), check.in(1).size(0));
            check.shape(check.in(3), check.in(1).size(0));
        } else if (op instanceof Op.RmsNorm norm) {
            check.arity(norm.scale() ? 2 : 1, 2);
            norm(check.in(0), 1);
            check.shape(check.out(1), check.in(0).size(0));
        } else if (op instanceof Op.RmsNormGrad norm) {
            check.arity(norm.scale() ? 4 : 3, norm.parameters() ? 2 : 1);
            normGrad(3, check.in(1));
            check.shape(check.in(2), check.in(1).size(0));
        } else if (op instanceof Op.CrossEntropy) {
            check.arity(3, 2);
            crossEntropy();
            check.require(check.out(0).length() == 1, "the loss is one number");
            check.shape(check.out(1), check.in(0).size(0));
        } else if (op instanceof Op.CrossEntropyGrad) {
            check.arity(5, 1);
            crossEntropy();
            check.shape(check.in(3), check.in(0).size(0));
            check.require(check.in(4).length() == 1, "the loss has one gradient");
            check.same(check.in(0).shape(), check.out(0));
        } else {
            check.require(false, "an operation with a specification");
        }
    }

    private void indices(int input) {
        check.isIndex(check.in(input));
        check.require(check.in(input).rank() == 1, "indices [n]");
    }

    private void writeRows() {
        check.arity(3, 1);
        Tensor cache = check.in(0);
        check.isFloat(cache);
        check.isFloat(check.in(1));
        check.isIndex(check.in(2));
        check.require(cache.rank() == 3, "the cache is [n,T,D]");
        check.require(check.in(1).length() == cache.size(0) * cache.size(2), "one row of each of n");
        check.require(cache.size(0) % check.in(2).length() == 0, "n is a multiple of the positions");
        check.same(cache.shape(), check.out(0));
    }

    private void attention(int first, boolean mask, Tensor result) {
        Tensor q = check.in(first);
        Tensor k = check.in(first + 1);
        Tensor v = check.in(first + 2);
        check.require(q.rank() == 4 && k.rank() == 4 && v.rank() == 4, "q, k and v have four axes");
        check.shape(k, q.size(0), k.size(1), k.size(2), q.size(3));
        check.shape(v, q.size(0), k.size(1), k.size(2), v.size(3));
        check.require(q.size(1) % k.size(1) == 0, "heads of queries share heads of keys");
        check.shape(result, q.size(0), q.size(1), q.size(2), v.size(3));
        if (mask) {
            check.require(
                    OpCheck.repeats(check.in(first + 3), q.size(0), q.size(1), q.size(2), k.size(2)),
                    "the mask repeats to the scores");
        }
    }

    private void norm(Tensor x, int firstParameter) {
        check.floats();
        check.require(x.rank() == 2, "rows [n,D]");
        check.same(x.shape(), check.out(0));
        parameters(firstParameter, x);
    }

    private void normGrad(int firstParameter, Tensor x) {
        check.floats();
        check.require(x.rank() == 2, "rows [n,D]");
        check.same(x.shape(), check.in(0));
        check.same(x.shape(), check.out(0));
        parameters(firstParameter, x);
        check.node().outputs().stream().skip(1).forEach(gradient -> check.shape(gradient, x.size(1)));
    }

    private void parameters(int first, Tensor x) {
        for (int i = first; i < check.node().inputs().size(); i++) {
            check.shape(check.in(i), x.size(1));
        }
    }

    private void crossEntropy() {
        Tensor logits = check.in(0);
        check.isFloat(logits);
        check.require(logits.rank() == 2, "logits [n,V]");
        indices(1);
        check.shape(check.in(1), logits.size(0));
        check.isFloat(check.in(2));
        check.shape(check.in(2), logits.size(0));
    }
}
