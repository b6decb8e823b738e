package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.Dim;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.nd4j.autodiff.samediff.SDVariable;

/**
 * Einstein sums of two tensors as one matrix product: axes both have and the result keeps are batch axes, axes both have
 * and the result lacks are summed over.
 */
final class Einsum {
    private final NodeCall call;
    private final String out;
    private final List<String> labels;

    private Einsum(NodeCall call, String equation) {
        this.call = call;
        String[] sides = equation.split("->", -1);
        if (sides.length != 2 || equation.contains(".") || call.inputs().size() != 2) {
            throw unsupported(equation);
        }
        this.out = sides[1];
        this.labels = List.of(sides[0].split(",", -1));
        boolean repeated =
                labels.stream().anyMatch(text -> text.chars().distinct().count() != text.length());
        boolean summedAlone = (labels.get(0) + labels.get(1))
                .chars()
                .anyMatch(c -> out.indexOf(c) < 0 && !(isIn(0, (char) c) && isIn(1, (char) c)));
        if (repeated || summedAlone || labels.get(0).length() != call.in(0).rank()) {
            throw unsupported(equation);
        }
    }

    private RuntimeException unsupported(String equation) {
        return call.refused(
                "computes '" + equation
                        + "'; sums of two tensors without ellipsis, repeated letters or letters summed in one tensor can be imported");
    }

    static void register(Map<String, OpLowering> operators) {
        operators.put(
                "Einsum",
                call -> new Einsum(call, call.node().text("equation", "").replace(" ", "")).lower());
    }

    private boolean isIn(int operand, char label) {
        return labels.get(operand).indexOf(label) >= 0;
    }

    private List<Value> lower() {
        String batch = select(out, label -> isIn(0, label) && isIn(1, label));
        String summed = select(labels.get(0), label -> isIn(1, label) && out.indexOf(label) < 0);
        String left = select(out, label -> isIn(0, label) && !isIn(1, label));
        String right = select(out, label -> isIn(1, label) && !isIn(0, label));
        Value a = arranged(0, batch, left, summed);
        Value b = arranged(1, batch, summed, right);
        SDVariable product = call.graph().mmul(a.variable(), b.variable());
        List<Dim> dims = new ArrayList<>(a.dims().subList(0, batch.length() + 1));
        dims.add(b.dim(b.rank() - 1));
        Value result = Value.computed(product, a.type(), dims);
        Value full = call.builder().reshape(result, sizes(batch + left + right));
        return List.of(Shapes.permuted(call, full, order(batch + left + right, out)));
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

    /** An operand as [batch axes, rows, columns]. */
    private Value arranged(int operand, String batch, String rows, String columns) {
        Value sorted = Shapes.permuted(call, call.in(operand), order(labels.get(operand), batch + rows + columns));
        List<Dim> dims = new ArrayList<>(sizes(batch));
        dims.add(sizes(rows).stream().reduce(Dim.ONE, Dim::times));
        dims.add(sizes(columns).stream().reduce(Dim.ONE, Dim::times));
        return call.builder().reshape(sorted, dims);
    }

    private static int[] order(String from, String to) {
        return to.chars().map(from::indexOf).toArray();
    }

    private List<Dim> sizes(String wanted) {
        return wanted.chars().mapToObj(label -> size((char) label)).toList();
    }

    private Dim size(char label) {
        int operand = isIn(0, label) ? 0 : 1;
        Dim size = call.in(operand).dim(labels.get(operand).indexOf(label));
        return operand == 0 && isIn(1, label) && !size.isKnown()
                ? call.in(1).dim(labels.get(1).indexOf(label))
                : size;
    }
}
