package dev.samediff.adapters.engine.gradient;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.ProgramBuilder;
import dev.samediff.adapters.engine.program.Shapes;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The gradient of one tensor as it comes in from the places where the tensor is used: whole, or for a part of an axis. Parts
 * are laid one behind the other instead of each being padded with zeros and added.
 */
final class Contributions {
    private final Tensor of;
    private final List<Tensor> whole = new ArrayList<>();
    private final Map<Integer, List<Part>> parts = new TreeMap<>();

    Contributions(Tensor of) {
        this.of = of;
    }

    private record Part(long begin, Tensor gradient) {}

    void add(Tensor gradient) {
        whole.add(gradient);
    }

    void add(int axis, long begin, Tensor gradient) {
        parts.computeIfAbsent(axis, key -> new ArrayList<>()).add(new Part(begin, gradient));
    }

    Tensor sum(ProgramBuilder builder) {
        List<Tensor> terms = new ArrayList<>(whole);
        parts.forEach((axis, list) -> terms.addAll(layers(builder, axis, list)));
        @Nullable Tensor sum = null;
        for (Tensor term : terms) {
            sum = sum == null ? term : builder.binary(BinaryKind.ADD, sum, term);
        }
        if (sum == null) {
            throw new IllegalStateException("there is no gradient of " + of);
        }
        return sum;
    }

    /** Lays parts beside each other; parts that overlap go to another layer. */
    private List<Tensor> layers(ProgramBuilder builder, int axis, List<Part> list) {
        List<Part> open = new ArrayList<>(list);
        open.sort(Comparator.comparingLong(Part::begin));
        List<Tensor> layers = new ArrayList<>();
        while (!open.isEmpty()) {
            List<Tensor> row = new ArrayList<>();
            long end = 0;
            for (Part part : List.copyOf(open)) {
                if (part.begin() >= end) {
                    zeros(builder, axis, part.begin() - end, row);
                    row.add(part.gradient());
                    end = part.begin() + part.gradient().size(axis);
                    open.remove(part);
                }
            }
            zeros(builder, axis, of.size(axis) - end, row);
            layers.add(builder.concat(axis, row));
        }
        return layers;
    }

    private void zeros(ProgramBuilder builder, int axis, long size, List<Tensor> row) {
        if (size > 0) {
            row.add(builder.fill(0, Shapes.with(of.shape(), axis, size)));
        }
    }
}
