package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.plan.Kernel;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;
import org.bytedeco.dnnl.binary;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Cross entropy of rows of logits, block of rows by block of rows, so that a block stays in the cache between the passes
 * over it: memory is read once forward, and read and written once backward. Blocks without weight are skipped.
 */
final class CrossEntropies {
    private static final long BLOCK_BYTES = 256 << 10;
    /** Shift of rows without weight: exp(x - this) is 0 for every float x. */
    private static final float NEVER = 3e38f;

    private CrossEntropies() {}

    /** Logits, labels and weights, checked. */
    private record Rows(TensorView logits, Ids labels, TensorView weights, long count, long width) {
        static Rows of(String title, TensorView logits, TensorView labels, TensorView weights) {
            Tensors.floats(title, logits, weights);
            if (logits.rank() != 2 || logits.layout().stride(1) != 1) {
                throw new IllegalArgumentException(title + ": `logits` is " + logits + " with " + logits.layout()
                        + ", expected [rows, vocabulary] with the elements of a row side by side");
            }
            long count = logits.layout().size(0);
            Tensors.length(title, "weights", weights, count);
            Ids ids = new Ids(title, "label", labels, count, logits.layout().size(1));
            return new Rows(logits, ids, weights, count, logits.layout().size(1));
        }

        float weight(long row) {
            return Memory.getFloat(weights.place().address() + 4 * row);
        }

        boolean hasWeight(long from, long to) {
            for (long i = from; i < to; i++) {
                if (weight(i) != 0) {
                    return true;
                }
            }
            return false;
        }

        /** Blocks of equal size and one with the rest; single rows if there are gaps between rows. */
        List<Block> blocks(Assembly assembly, LongFunction<Block> maker) {
            boolean gaps = logits.layout().stride(0) != width && count > 1;
            long threads = OneDnn.threads();
            long size = gaps ? 1 : Math.max(threads, BLOCK_BYTES / (4 * width) / threads * threads);
            List<Block> blocks = new ArrayList<>();
            long reserved = assembly.reserved();
            if (count >= size) {
                blocks.add(maker.apply(size));
                assembly.release(reserved); // one block after the other
            }
            if (count % size != 0) {
                blocks.add(maker.apply(count % size));
            }
            return blocks;
        }
    }

    /** A computation of a number of rows, with the places that move to the block's first row. */
    private record Block(long size, Kernel body, Loop.Cursor... cursors) {
        void run(long row) {
            for (Loop.Cursor cursor : cursors) {
                cursor.index(row);
            }
            body.run();
        }
    }

    /** Visits the blocks of all rows in order. */
    private abstract static class Pass extends JavaKernel {
        private final List<Block> blocks;
        private final Rows rows;

        Pass(Rows rows, List<Block> blocks, Place... places) {
            super(blocks.get(0).body.describe(), places);
            this.rows = rows;
            this.blocks = blocks;
        }

        final void visit() {
            long row = 0;
            for (Block block : blocks) {
                for (; row + block.size <= rows.count; row += block.size) {
                    if (rows.hasWeight(row, row + block.size)) {
                        block.run(row);
                        heavy(row, row + block.size);
                    } else {
                        light(row, row + block.size);
                    }
                }
            }
        }

        /** Finishes a block that was computed. */
        abstract void heavy(long from, long to);

        /** Finishes a block without weight, which was not computed. */
        abstract void light(long from, long to);
    }

    /** Adds loss = sum of weights (logsumexp - logit of the label). */
    static void forward(
            Assembly assembly,
            TensorView logits,
            TensorView labels,
            TensorView weights,
            TensorView loss,
            TensorView logSumExp) {
        String title = "cross entropy";
        Rows rows = Rows.of(title, logits, labels, weights);
        Tensors.floats(title, loss, logSumExp);
        Tensors.length(title, "loss", loss, 1);
        Tensors.length(title, "logSumExp", logSumExp, rows.count);
        long step = 4 * logits.layout().stride(0);
        long largest = Math.min(rows.count, Math.max(OneDnn.threads(), BLOCK_BYTES / (4 * rows.width)));
        TensorView work = assembly.temporary(DataType.FLOAT, largest, rows.width);
        List<Block> blocks = rows.blocks(assembly, size -> {
            Loop.Cursor from = new Loop.Cursor(logits.place(), step);
            Layout layout = Layout.dense(size, rows.width);
            int mark = assembly.mark();
            Softmaxes.forward(
                    assembly, algorithm.softmax_log, new TensorView(DataType.FLOAT, layout, from), work.with(layout));
            return new Block(size, assembly.since(mark), from);
        });
        Place[] places = {logits.place(), rows.labels.place(), weights.place(), loss.place(), logSumExp.place()};
        assembly.add(new Pass(rows, blocks, places) {
            private double sum;

            @Override
            void compute() {
                sum = 0;
                visit();
                Memory.putFloat(loss.place().address(), (float) sum);
            }

            @Override
            void heavy(long from, long to) {
                for (long i = from; i < to; i++) {
                    float weight = rows.weight(i);
                    long label = weight == 0 ? 0 : rows.labels.at(i);
                    float logarithm = Memory.getFloat(work.place().address() + 4 * ((i - from) * rows.width + label));
                    float logit = Memory.getFloat(logits.place().address() + i * step + 4 * label);
                    Memory.putFloat(logSumExp.place().address() + 4 * i, logit - logarithm);
                    if (weight != 0) {
                        sum -= (double) weight * logarithm;
                    }
                }
            }

            @Override
            void light(long from, long to) {
                Memory.fill(logSumExp.place().address() + 4 * from, to - from, 0);
            }
        });
    }

    /** The operands of the backward pass. */
    record Backward(
            TensorView logits,
            TensorView labels,
            TensorView weights,
            TensorView logSumExp,
            TensorView scale,
            TensorView dLogits) {}

    /** Adds dLogits = scale weights (softmax(logits) - onehot(labels)). */
    static void backward(Assembly assembly, Backward b) {
        String title = "gradient of cross entropy";
        Rows rows = Rows.of(title, b.logits, b.labels, b.weights);
        Tensors.floats(title, b.logSumExp, b.scale, b.dLogits);
        Tensors.length(title, "logSumExp", b.logSumExp, rows.count);
        Tensors.length(title, "scale", b.scale, 1);
        Tensors.shape(title, "dLogits", b.dLogits, b.logits.shape());
        if (b.dLogits.layout().stride(1) != 1
                || (rows.count > 1
                        && b.dLogits.layout().stride(0) != b.logits.layout().stride(0))) {
            throw new IllegalArgumentException(title + ": `dLogits` has " + b.dLogits.layout()
                    + ", expected the layout of" + " `logits`, " + b.logits.layout());
        }
        long step = 4 * b.logits.layout().stride(0);
        TensorView shifts = assembly.temporary(DataType.FLOAT, rows.count);
        TensorView factors = assembly.temporary(DataType.FLOAT, rows.count);
        List<Block> blocks = rows.blocks(assembly, size -> block(assembly, b, shifts, factors, size));
        Place[] places = {
            b.logits.place(),
            rows.labels.place(),
            b.weights.place(),
            b.logSumExp.place(),
            b.scale.place(),
            b.dLogits.place()
        };
        Address zeros = new Address();
        assembly.add(new Pass(rows, blocks, places) {
            @Override
            void compute() {
                float scale = Memory.getFloat(b.scale.place().address());
                for (long i = 0; i < rows.count; i++) {
                    float weight = rows.weight(i);
                    float shift = weight == 0
                            ? NEVER
                            : Memory.getFloat(b.logSumExp.place().address() + 4 * i);
                    Memory.putFloat(shifts.place().address() + 4 * i, shift);
                    Memory.putFloat(factors.place().address() + 4 * i, scale * weight);
                }
                visit();
            }

            @Override
            void heavy(long from, long to) {
                for (long i = from; i < to; i++) {
                    if (rows.weight(i) != 0) {
                        long at = b.dLogits.place().address() + i * step + 4 * rows.labels.at(i);
                        float factor = Memory.getFloat(factors.place().address() + 4 * i);
                        Memory.putFloat(at, Memory.getFloat(at) - factor);
                    }
                }
            }

            @Override
            void light(long from, long to) {
                for (long i = from; i < to; i++) {
                    Pointer.memset(zeros.at(b.dLogits.place().address() + i * step), 0, 4 * rows.width);
                }
            }
        });
    }

    /** exp(logits - shift) factor of a number of rows: rows are channels, for which oneDNN has a fast form. */
    private static Block block(Assembly assembly, Backward b, TensorView shifts, TensorView factors, long size) {
        long step = 4 * b.logits.layout().stride(0);
        Loop.Cursor from = new Loop.Cursor(b.logits.place(), step);
        Loop.Cursor to = new Loop.Cursor(b.dLogits.place(), step);
        Loop.Cursor shift = new Loop.Cursor(shifts.place(), 4);
        Loop.Cursor factor = new Loop.Cursor(factors.place(), 4);
        Layout matrix = Layout.dense(1, size, b.logits.layout().size(1));
        Layout column = Layout.dense(1, size, 1);
        TensorView rowFactors = factors.with(column).at(factor);
        post_ops ops = new post_ops();
        ops.append_eltwise(algorithm.eltwise_exp, 0, 0);
        ops.append_binary(algorithm.binary_mul, Dnnl.desc(rowFactors));
        var description = new binary.primitive_desc(
                Dnnl.ENGINE,
                algorithm.binary_sub,
                Dnnl.desc(DataType.FLOAT, matrix),
                Dnnl.desc(DataType.FLOAT, column),
                Dnnl.desc(DataType.FLOAT, matrix),
                Dnnl.attributes(ops),
                false);
        int mark = assembly.mark();
        Primitive.of(assembly, description)
                .with(dnnl.DNNL_ARG_SRC_0, b.logits.with(matrix).at(from))
                .with(dnnl.DNNL_ARG_SRC_1, shifts.with(column).at(shift))
                .with(dnnl.DNNL_ARG_DST, b.dLogits.with(matrix).at(to))
                .with(Matmuls.postOp(1), rowFactors)
                .add();
        return new Block(size, assembly.since(mark), from, to, shift, factor);
    }
}
