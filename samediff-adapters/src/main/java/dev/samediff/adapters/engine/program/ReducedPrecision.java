package dev.samediff.adapters.engine.program;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Matrix products with frozen weights in bfloat16, accumulated in float32. Everything else stays float32: adapters,
 * normalisations, softmax, loss.
 */
public final class ReducedPrecision extends Rewrite {
    /** Ends the names of leaves that are a variable rounded to bfloat16. */
    public static final String SUFFIX = "@bf16";

    private final Set<String> frozen;
    private final Map<Tensor, String> names = new HashMap<>();

    private ReducedPrecision(Program program, Set<String> frozen) {
        super(program);
        this.frozen = frozen;
        program.leaves().forEach((name, leaf) -> names.put(leaf, name));
    }

    /**
     * Returns a program that reads some weights as bfloat16.
     *
     * @param program the program
     * @param frozen leaves that are constant during training
     */
    public static Program apply(Program program, Set<String> frozen) {
        return new ReducedPrecision(program, new HashSet<>(frozen)).run();
    }

    @Override
    protected @Nullable Tensor replacement(Node node) {
        if (!(node.op() instanceof Op.MatMul)) {
            return null;
        }
        Tensor weight = weight(node.input(1));
        if (weight == null) {
            return null;
        }
        List<Tensor> inputs =
                new ArrayList<>(node.inputs().stream().map(this::get).toList());
        inputs.set(0, builder.cast(inputs.get(0), DataType.BFLOAT16));
        inputs.set(1, weight);
        return builder.add(node.op(), inputs, DataType.FLOAT, node.output().shape());
    }

    /** Returns a frozen weight, seen through the same views, as bfloat16; null for anything else. */
    private @Nullable Tensor weight(Tensor tensor) {
        String name = names.get(tensor);
        if (name != null) {
            boolean matrix = tensor.rank() == 2 && tensor.type() == DataType.FLOAT && frozen.contains(name);
            return matrix ? builder.leaf(name + SUFFIX, DataType.BFLOAT16, tensor.shape()) : null;
        }
        Node view = producer(tensor);
        if (view == null || !(view.op() instanceof Op.Permute || view.op() instanceof Op.Reshape)) {
            return null;
        }
        Tensor source = weight(view.input(0));
        return source == null ? null : builder.add(view.op(), List.of(source), DataType.BFLOAT16, tensor.shape());
    }
}
