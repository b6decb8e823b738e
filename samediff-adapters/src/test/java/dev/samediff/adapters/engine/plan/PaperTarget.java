package dev.samediff.adapters.engine.plan;

import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A target whose memory is numbers and whose kernels do nothing but be counted. */
final class PaperTarget implements Target {
    static final long ALIGNMENT = 256;

    /** The calls of contexts, in order. */
    final List<String> calls = new ArrayList<>();
    /** All operands that kernels were made with. */
    final List<Operand> operands = new ArrayList<>();

    Set<String> frozen = Set.of();
    boolean readsAll;
    /** The op that there is no kernel for, or whose kernel fails. */
    Class<? extends Op> broken = Op.Concat.class;

    boolean failsWhenRun;

    @Override
    public String reason() {
        return "";
    }

    @Override
    public ExecutionContext open(Set<String> leaves) {
        frozen = leaves;
        return new Context();
    }

    @Override
    public boolean reads(Op op, int input, Operand x) {
        return readsAll || Target.super.reads(op, input, x);
    }

    @Override
    public void close() {
        calls.add("close target");
    }

    private final class Context implements ExecutionContext {
        private long next = ALIGNMENT;
        private long clock;
        private boolean finished;

        @Override
        public long alignment() {
            return ALIGNMENT;
        }

        @Override
        public long allocate(long bytes) {
            calls.add("allocate " + bytes);
            long address = next;
            next += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
            return address;
        }

        @Override
        public Kernel emit(Node node, List<Operand> in, List<Operand> out) {
            boolean isBroken = broken.isInstance(node.op());
            if (isBroken && !failsWhenRun) {
                throw new IllegalStateException("no kernel for " + node.op().title());
            }
            operands.addAll(in);
            operands.addAll(out);
            return kernel(node.op().title(), isBroken);
        }

        @Override
        public Kernel copy(Operand x, Operand dst) {
            operands.add(x);
            operands.add(dst);
            return kernel("copy", false);
        }

        private Kernel kernel(String title, boolean fails) {
            return new Kernel() {
                @Override
                public void run() {
                    calls.add("run " + title);
                    finished = false;
                    clock += 1000;
                    if (fails) {
                        throw new IllegalStateException(title + " failed");
                    }
                }

                @Override
                public String describe() {
                    return title;
                }
            };
        }

        @Override
        public long leaf(String name, INDArray array) {
            calls.add("leaf " + name);
            return allocate(array.length() * array.dataType().width());
        }

        @Override
        public long literal(INDArray array) {
            return allocate(array.length() * array.dataType().width());
        }

        @Override
        public void finish() {
            calls.add("finish");
            finished = true;
        }

        @Override
        public LongSupplier time() {
            long now = clock;
            return () -> {
                if (!finished) {
                    throw new IllegalStateException("the time of a queue is known when it is empty");
                }
                return now;
            };
        }

        @Override
        public INDArray download(Operand result) {
            calls.add("download");
            return Nd4j.zeros(result.type(), result.shape());
        }

        @Override
        public void close() {
            calls.add("close");
        }
    }
}
