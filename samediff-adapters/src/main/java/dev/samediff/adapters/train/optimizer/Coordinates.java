package dev.samediff.adapters.train.optimizer;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.linalg.Decompositions;
import dev.samediff.adapters.linalg.LapackDecompositions;
import dev.samediff.adapters.linalg.SvdChoice;
import dev.samediff.adapters.train.GaLore;
import dev.samediff.adapters.train.Lisa;
import dev.samediff.adapters.train.Subspace;
import dev.samediff.adapters.train.TrainingPlan;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Where a tensor's moments live, and when: plainly, unless a rule of {@link Subspace} says otherwise. */
abstract class Coordinates {
    private final long[] parameter;

    private Coordinates(INDArray parameter) {
        this.parameter = parameter.shape().clone();
    }

    /**
     * Returns those of all tensors.
     *
     * @param plan rule and seed
     * @param paths names of the tensors by which layers are told apart
     * @param parameters the tensors, for their shapes
     * @throws InvalidInputException if the rule has nothing to do with them
     */
    static List<Coordinates> of(Subspace rule, TrainingPlan plan, List<String> paths, List<INDArray> parameters) {
        List<Coordinates> all = new ArrayList<>();
        if (rule instanceof GaLore galore) {
            parameters.forEach(
                    tensor -> all.add(isProjected(galore, tensor) ? new Projected(galore, tensor) : plain(tensor)));
            if (all.stream().noneMatch(Projected.class::isInstance)) {
                throw new InvalidInputException("GaLore of rank " + galore.rank()
                        + " would project nothing: no trained tensor is a matrix of which both sides are larger; give a"
                        + " lower rank, or train weights instead of factors");
            }
            return all;
        }
        Lisa lisa = (Lisa) rule;
        Set<String> layers = lisa.layersOf(paths);
        for (int i = 0; i < parameters.size(); i++) {
            INDArray tensor = parameters.get(i);
            all.add(Lisa.layerOf(paths.get(i))
                    .map(layer -> (Coordinates) new Drawn(lisa, plan.seed(), layers, layer, tensor))
                    .orElseGet(() -> plain(tensor)));
        }
        return all;
    }

    private static boolean isProjected(GaLore rule, INDArray tensor) {
        return tensor.rank() == 2 && Math.min(tensor.rows(), tensor.columns()) > rule.rank();
    }

    private static Coordinates plain(INDArray tensor) {
        return new Coordinates(tensor) {};
    }

    /** Returns AdamW's t of this tensor in an update, from 1; 0 if the update leaves the tensor alone. */
    long age(long update) {
        return update;
    }

    /** Returns the shape of the moments. */
    long[] shape() {
        return parameter.clone();
    }

    /** Returns the gradient in these coordinates; it may be the gradient itself. */
    INDArray reduce(INDArray gradient, long update) {
        return gradient;
    }

    /** Returns a step in these coordinates as one of the tensor; it may be the step itself. */
    INDArray expand(INDArray step) {
        return step;
    }

    /** Returns what the coordinates depend on and is to be kept, if there is such a thing. */
    @Nullable
    INDArray basis() {
        return null;
    }

    /** Takes over a kept basis. */
    void restore(@Nullable INDArray basis) {
        if (basis != null) {
            throw new InvalidInputException("the checkpoint has a projection for a tensor of the shape "
                    + Arrays.toString(parameter) + ", which is not projected; it belongs to another training");
        }
    }

    /** GaLore's. */
    private static final class Projected extends Coordinates {
        private final GaLore rule;
        private final boolean fromRight;
        private final Decompositions linalg = SvdChoice.auto().over(new LapackDecompositions());
        /** Q, with the leading singular vectors as columns. */
        private @Nullable INDArray basis;

        Projected(GaLore rule, INDArray tensor) {
            super(tensor);
            this.rule = rule;
            this.fromRight = tensor.rows() >= tensor.columns();
        }

        @Override
        long[] shape() {
            long[] own = super.shape();
            own[fromRight ? 1 : 0] = rule.rank();
            return own;
        }

        @Override
        INDArray reduce(INDArray gradient, long update) {
            if ((update - 1) % rule.interval() == 0 || basis == null) {
                INDArray before = basis;
                basis = vectors(gradient, before);
                if (before != null) {
                    before.close();
                }
            }
            return fromRight ? gradient.mmul(basis) : basis.transpose().mmul(gradient);
        }

        private INDArray vectors(INDArray gradient, @Nullable INDArray before) {
            Decompositions.Svd svd = linalg.svd(gradient, rule.rank());
            INDArray vectors = fromRight ? svd.vt().transpose() : svd.u();
            INDArray own = Nd4j.createUninitializedDetached(DataType.FLOAT, vectors.shape());
            own.assign(vectors);
            for (int k = 0; k < own.columns(); k++) {
                INDArray vector = own.getColumn(k);
                if (agreement(vector, before == null ? null : before.getColumn(k)) < 0) {
                    vector.negi();
                }
            }
            return own;
        }

        private static double agreement(INDArray vector, @Nullable INDArray before) {
            if (before == null) {
                int largest = Nd4j.argMax(Transforms.abs(vector, true), 0).getInt(0);
                return vector.getDouble(largest);
            }
            return vector.mul(before).sumNumber().doubleValue();
        }

        @Override
        INDArray expand(INDArray step) {
            INDArray q = Objects.requireNonNull(basis);
            return (fromRight ? step.mmul(q.transpose()) : q.mmul(step)).muli(rule.scale());
        }

        @Override
        @Nullable
        INDArray basis() {
            return basis;
        }

        @Override
        void restore(@Nullable INDArray saved) {
            if (saved == null) {
                throw new InvalidInputException("the checkpoint has no projection for a tensor of the shape "
                        + Arrays.toString(super.shape()) + ", which GaLore projects; it belongs to another training");
            }
            basis = saved.dup('c');
        }
    }

    /** LISA's. */
    private static final class Drawn extends Coordinates {
        private final Lisa rule;
        private final long seed;
        private final Set<String> layers;
        private final String layer;

        Drawn(Lisa rule, long seed, Set<String> layers, String layer, INDArray tensor) {
            super(tensor);
            this.rule = rule;
            this.seed = seed;
            this.layers = layers;
            this.layer = layer;
        }

        /** Counts from the draw after the last one that left the layer out. */
        @Override
        long age(long update) {
            if (rule.layers() == layers.size()) {
                return update;
            }
            if (update < 1 || !isDrawn(update)) {
                return 0;
            }
            long start = update - (update - 1) % rule.interval();
            while (start > 1 && isDrawn(start - 1)) {
                start -= rule.interval();
            }
            return update - start + 1;
        }

        private boolean isDrawn(long update) {
            return rule.drawn(layers, update, seed).contains(layer);
        }
    }
}
