package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.plan.Target;
import dev.samediff.adapters.engine.plan.TargetCopies;
import dev.samediff.adapters.memory.FileBackedArrays;
import dev.samediff.adapters.memory.NativeBlock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.Predicate;
import org.bytedeco.dnnl.memory;
import org.jspecify.annotations.Nullable;

/**
 * Copies of matrices that hardly ever change, such as frozen weights, in the layout that oneDNN's products read fastest. All
 * kernels of one engine share them, or those of several engines in threads of their own, as long as nothing expires.
 */
public final class PackedMatrices implements TargetCopies {
    private final Map<String, Matrix> matrices = new ConcurrentHashMap<>();

    /** Returns the copies of a matrix; they are made when kernels need them. */
    public Matrix of(String name) {
        return matrices.computeIfAbsent(name, key -> new Matrix());
    }

    /** Returns the copies of a matrix if a kernel has asked for them. */
    public Optional<Matrix> find(String name) {
        return Optional.ofNullable(matrices.get(name));
    }

    @Override
    public Target open(int threads, boolean keepsPacked, Predicate<String> isShared) {
        return HostTarget.sharing(this, isShared, threads, keepsPacked);
    }

    /** Returns the memory of all copies in bytes. */
    @Override
    public long bytes() {
        return matrices.values().stream()
                .flatMap(matrix -> matrix.copies.stream())
                .mapToLong(copy -> copy.desc.get_size())
                .sum();
    }

    /** Gives the memory back; no kernel that uses the copies may run any more. */
    @Override
    public void close() {
        matrices.values().forEach(matrix -> matrix.copies.forEach(copy -> copy.memory.close()));
        matrices.clear();
    }

    /** The copies of one matrix. */
    public static final class Matrix {
        private final List<Copy> copies = new CopyOnWriteArrayList<>();
        private volatile long version;

        private Matrix() {}

        /** Says that the numbers have changed: copies are made anew before they are read again. */
        public void expire() {
            version++;
        }

        /**
         * Does something with the copy of the matrix as seen through a layout; nobody adds one meanwhile.
         *
         * @param work gets the copy, or null if there is none
         */
        synchronized <T> T use(Layout source, Function<@Nullable Copy, T> work) {
            return work.apply(copies.stream()
                    .filter(copy -> copy.source.equals(source))
                    .findFirst()
                    .orElse(null));
        }

        Copy add(Layout source, memory.desc desc) {
            Copy copy = new Copy(source, desc);
            copies.add(copy);
            return copy;
        }

        /** A copy in one layout. */
        final class Copy implements Place {
            private final Layout source;
            private final memory.desc desc;
            private final NativeBlock memory;
            private volatile long made = -1;

            private Copy(Layout source, memory.desc desc) {
                this.source = source;
                this.desc = desc;
                this.memory = new NativeBlock(desc.get_size());
            }

            memory.desc desc() {
                return desc;
            }

            @Override
            public long address() {
                return memory.address();
            }

            private synchronized void copyOnce(Kernel copying) {
                long now = version;
                if (made != now) {
                    copying.run();
                    made = now;
                }
            }

            /**
             * Returns the copying as a kernel that does nothing while the copy is right.
             *
             * @param from the matrix, whose memory is given back after it was copied, if a file stands behind it
             */
            Kernel refresh(Kernel copying, Place from) {
                return new Kernel() {
                    @Override
                    public void run() {
                        if (made != version) {
                            copyOnce(copying);
                            FileBackedArrays.release(from.address());
                        }
                    }

                    @Override
                    public String describe() {
                        return "kept";
                    }
                };
            }
        }
    }
}
