package dev.samediff.importer.lowering;

import dev.samediff.importer.onnx.EinsumLayer;
import dev.samediff.importer.onnx.EinsumStack;
import dev.samediff.importer.tensor.Dim;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Einstein sums. Letters that one operand alone has and the result lacks are summed first; then operands are joined one
 * after the other, each pair by one matrix product: letters both have and something later needs are batch axes, letters
 * both have and nothing later needs are summed over.
 */
final class Einsum {
    /** Stand for the axes of an ellipsis, from the last one back; letters of equations are ASCII. */
    private static final char ELLIPSIS = '\u2400';

    private final NodeCall call;

    /** A value and the letter of each of its axes. */
    private record Operand(Value value, String labels) {
        boolean has(char label) {
            return labels.indexOf(label) >= 0;
        }

        Dim size(char label) {
            return value.dim(labels.indexOf(label));
        }
    }

    private Einsum(NodeCall call) {
        this.call = call;
    }

    static void register(Map<String, OpLowering> operators) {
        operators.put("Einsum", call -> List.of(new Einsum(call).lower()));
    }

    private Value lower() {
        String equation = call.node().text("equation", "").replace(" ", "");
        String[] sides = equation.split("->", -1);
        String[] inputs = sides[0].split(",", -1);
        if (sides.length > 2 || inputs.length != call.inputs().size()) {
            throw call.invalid("computes '" + equation + "' of " + call.inputs().size() + " tensors");
        }
        for (int place = 0; place < inputs.length; place++) {
            Optional<EinsumLayer> layer = EinsumLayer.of(call.node(), place);
            if (layer.isPresent()
                    && call.in(place).stored() != null
                    && call.in(place).rank() == 2) {
                return byMatrix(layer.get(), call.in(1 - place), call.in(place), equation);
            }
            Optional<EinsumStack> stack = EinsumStack.of(call.node(), place);
            if (stack.isPresent()
                    && Experts.isStack(call.in(place))
                    && call.in(1 - place).stored() == null
                    && call.in(1 - place).rank() == stack.get().x().length()) {
                return Experts.einsum(call, stack.get(), call.in(1 - place), call.in(place));
            }
        }
        List<Operand> operands = new ArrayList<>();
        for (int i = 0; i < inputs.length; i++) {
            operands.add(operand(call.in(i), inputs[i], equation));
        }
        String result = sides.length == 2 ? withEllipsis(sides[1], longest(operands)) : implicit(operands);
        Operand joined = summed(operands.get(0), needed(operands, 1, result));
        for (int i = 1; i < operands.size(); i++) {
            Operand next = summed(operands.get(i), joined.labels() + needed(operands, i + 1, result));
            joined = product(joined, next, needed(operands, i + 1, result));
        }
        Operand complete = joined;
        if (!result.chars().allMatch(label -> complete.has((char) label))) {
            throw call.invalid("computes '" + equation + "', whose result has a letter no operand has");
        }
        return Shapes.permuted(call, joined.value(), order(joined.labels(), result));
    }

    /** A linear layer: rows of what the sum goes over, times the stored matrix, used the way it is stored. */
    private Value byMatrix(EinsumLayer layer, Value x, Value weight, String equation) {
        Operand activation = operand(x, layer.x(), equation);
        String kept = select(activation.labels(), label -> layer.summed().indexOf(label) < 0);
        Value sorted = Shapes.permuted(call, x, order(activation.labels(), kept + layer.summed()));
        List<Dim> dims = new ArrayList<>(sorted.dims().subList(0, kept.length()));
        Dim rows = dims.stream().reduce(Dim.ONE, Dim::times);
        Dim columns =
                sorted.dims().subList(kept.length(), sorted.rank()).stream().reduce(Dim.ONE, Dim::times);
        Value matrix = call.builder().reshape(sorted, List.of(rows, columns));
        Dim out = weight.dim(layer.outFirst() ? 0 : 1);
        Value product =
                Value.computed(MatMuls.times(call, matrix, weight, layer.outFirst()), x.type(), List.of(rows, out));
        dims.addAll(made(layer, weight));
        String result = withEllipsis(layer.result(), longest(List.of(activation)));
        return Shapes.permuted(call, call.builder().reshape(product, dims), order(kept + layer.made(), result));
    }

    /** The sizes of the axes that a weight brings into the result. */
    private static List<Dim> made(EinsumLayer layer, Value weight) {
        if (layer.weight().length() == 2) {
            return List.of(weight.dim(layer.outFirst() ? 0 : 1));
        }
        long[] shape = Objects.requireNonNull(weight.stored()).tensor().shape();
        List<Dim> made = new ArrayList<>();
        layer.made()
                .chars()
                .forEach(letter -> made.add(Dim.of(shape[layer.weight().indexOf(letter)])));
        return made;
    }

    private Operand operand(Value value, String letters, String equation) {
        int named = letters.replace("...", "").length();
        String labels = withEllipsis(letters, value.rank() - named);
        boolean repeated = labels.chars().distinct().count() != labels.length();
        if (repeated || labels.length() != value.rank()) {
            throw call.refused(
                    "computes '" + equation + "' of a tensor of rank " + value.rank()
                            + "; letters that are repeated in one operand (diagonals) cannot be imported",
                    "take the diagonal before it, by a product with an identity matrix");
        }
        return new Operand(value, labels);
    }

    /** Replaces the ellipsis by letters for {@code count} axes. */
    private static String withEllipsis(String letters, int count) {
        StringBuilder axes = new StringBuilder();
        for (int i = count - 1; i >= 0; i--) {
            axes.append((char) (ELLIPSIS + i));
        }
        return letters.replace("...", axes);
    }

    /** Number of axes that the longest ellipsis stands for. */
    private static int longest(List<Operand> operands) {
        return (int) operands.stream()
                .mapToLong(operand -> operand.labels()
                        .chars()
                        .filter(label -> label >= ELLIPSIS)
                        .count())
                .max()
                .orElse(0);
    }

    /** Without a right side: the ellipsis, then letters that occur once, in alphabetical order. */
    private static String implicit(List<Operand> operands) {
        StringBuilder all = new StringBuilder();
        operands.forEach(operand -> all.append(operand.labels()));
        StringBuilder result = new StringBuilder(withEllipsis("...", longest(operands)));
        all.chars()
                .filter(label -> label < ELLIPSIS)
                .sorted()
                .filter(label -> all.chars().filter(other -> other == label).count() == 1)
                .forEach(label -> result.append((char) label));
        return result.toString();
    }

    /** The letters of the operands from {@code first} on and of the result. */
    private static String needed(List<Operand> operands, int first, String result) {
        StringBuilder needed = new StringBuilder(result);
        operands.subList(first, operands.size()).forEach(operand -> needed.append(operand.labels()));
        return needed.toString();
    }

    private Operand summed(Operand operand, String needed) {
        String kept = select(operand.labels(), label -> needed.indexOf(label) >= 0);
        if (kept.equals(operand.labels())) {
            return operand;
        }
        long[] axes = operand.labels()
                .chars()
                .filter(label -> kept.indexOf(label) < 0)
                .mapToLong(label -> operand.labels().indexOf(label))
                .toArray();
        Value sum = call.emit("ReduceSum", Map.of("keepdims", 0), operand.value(), call.vector(axes));
        return new Operand(sum, kept);
    }

    private Operand product(Operand a, Operand b, String needed) {
        for (char label : select(a.labels(), b::has).toCharArray()) {
            Dim left = a.size(label);
            Dim right = b.size(label);
            if (left.isKnown() && right.isKnown() && !left.equals(right) && !left.is(1) && !right.is(1)) {
                throw call.invalid("multiplies axes of " + left + " and " + right + " elements");
            }
        }
        String repeated = select(
                a.labels(),
                label -> b.has(label)
                        && needed.indexOf(label) < 0
                        && a.size(label).is(1) != b.size(label).is(1));
        return repeated.isEmpty()
                ? matching(a, b, needed)
                : matching(without(a, repeated), without(b, repeated), needed);
    }

    /** Sums over axes of which the other operand has one element, which is repeated along them. */
    private Operand without(Operand operand, String labels) {
        return summed(operand, select(operand.labels(), label -> labels.indexOf(label) < 0));
    }

    private Operand matching(Operand a, Operand b, String needed) {
        String batch = select(a.labels(), label -> b.has(label) && needed.indexOf(label) >= 0);
        String summed = select(a.labels(), label -> b.has(label) && needed.indexOf(label) < 0);
        String left = select(a.labels(), label -> !b.has(label));
        String right = select(b.labels(), label -> !a.has(label));
        List<Dim> common = batch.chars()
                .mapToObj(label -> size(a.size((char) label), b.size((char) label)))
                .toList();
        Value rows = arranged(a, common, batch, left, summed);
        Value columns = arranged(b, common, batch, summed, right);
        Value product = call.emit("MatMul", rows, columns);
        List<Dim> dims = new ArrayList<>(common);
        left.chars().forEach(label -> dims.add(a.size((char) label)));
        right.chars().forEach(label -> dims.add(b.size((char) label)));
        return new Operand(call.builder().reshape(product, dims), batch + left + right);
    }

    /** The size of an axis that both have: the known one, and not the one that is repeated. */
    private static Dim size(Dim left, Dim right) {
        return left.is(1) || (right.isKnown() && !right.is(1)) ? right : left;
    }

    private static String select(String from, Predicate<Character> wanted) {
        StringBuilder selected = new StringBuilder();
        for (int i = 0; i < from.length(); i++) {
            if (wanted.test(from.charAt(i))) {
                selected.append(from.charAt(i));
            }
        }
        return selected.toString();
    }

    /** An operand as [batch axes, rows, columns], repeated along batch axes that it has one element of. */
    private Value arranged(Operand operand, List<Dim> common, String batch, String rows, String columns) {
        Value sorted = Shapes.permuted(call, operand.value(), order(operand.labels(), batch + rows + columns));
        List<Dim> dims = new ArrayList<>();
        batch.chars().forEach(label -> dims.add(operand.size((char) label)));
        dims.add(rows.chars().mapToObj(label -> operand.size((char) label)).reduce(Dim.ONE, Dim::times));
        dims.add(columns.chars().mapToObj(label -> operand.size((char) label)).reduce(Dim.ONE, Dim::times));
        List<Dim> target = new ArrayList<>(common);
        target.addAll(dims.subList(batch.length(), dims.size()));
        return Expanding.expand(call, call.builder().reshape(sorted, dims), target);
    }

    private static int[] order(String from, String to) {
        return to.chars().map(from::indexOf).toArray();
    }
}
