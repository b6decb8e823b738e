package dev.samediff.adapters.engine.decoding;

import dev.samediff.adapters.engine.UncompilableException;
import dev.samediff.adapters.engine.decoding.Flow.Form;
import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** For every kind of node, where its output has the position if its inputs have it somewhere. */
final class FlowRules {
    /** Ops of ND4J that compute each element, or each row, from the same place of their inputs. */
    private static final Set<String> ELEMENTWISE = Set.of(
            "cast",
            "equals",
            "floormod",
            "onehot",
            "add",
            "subtract",
            "multiply",
            "maximum",
            "minimum",
            "add_scalar",
            "sub_scalar",
            "identity");

    private final Map<Tensor, Position> text;
    private final long batch;
    private final long length;

    FlowRules(Map<Tensor, Position> text, long batch, long length) {
        this.text = text;
        this.batch = batch;
        this.length = length;
    }

    /**
     * Returns the flow through a node of which an input depends on the text.
     *
     * @throws UncompilableException if it mixes positions in a way that is not understood
     */
    Flow of(Node node) {
        if (node.op() instanceof Op.View || node.op() instanceof Op.Reduce) {
            return view(node, position(node, 0));
        }
        if (node.op() instanceof Op.MatMul || node.op() instanceof Op.MaskedMatMul) {
            return product(node);
        }
        if (node.op() instanceof Op.Concat concat) {
            Position position = first(node);
            require(concat.axis() != position.axis(), node, "joins positions");
            return Flow.along(position, node.inputs().size());
        }
        if (node.op() instanceof Op.Binary) {
            return Flow.along(first(node), 2);
        }
        if (node.op() instanceof Op.Unary || node.op() instanceof Op.Cast) {
            return Flow.of(position(node, 0), Form.SINGLE);
        }
        if (node.op() instanceof Op.Softmax) {
            Position position = position(node, 0);
            require(position.axis() != node.output().rank() - 1, node, "goes over all positions");
            return Flow.of(position, Form.SINGLE);
        }
        if (node.op() instanceof Op.LayerNorm || node.op() instanceof Op.RmsNorm) {
            Position position = position(node, 0);
            require(position.axis() == 0, node, "goes over all positions");
            return new Flow(position, firstAnd(Form.SINGLE, Form.WHOLE, node));
        }
        if (node.op() instanceof Op.Gather) {
            require(!text.containsKey(node.input(0)), node, "reads a table that depends on the text");
            return Flow.of(position(node, 1), Form.WHOLE, Form.SINGLE);
        }
        if (node.op() instanceof Op.Nd4j call
                && ELEMENTWISE.contains(call.call().op().opName())) {
            return nd4j(node, position(node, 0));
        }
        throw new UncompilableException(describe(node) + " of the text, which decoding by position does not know");
    }

    private Flow nd4j(Node node, Position position) {
        Tensor x = node.input(0);
        boolean same = node.output().rank() >= x.rank()
                && position.before(x.shape()) == position.before(node.output().shape())
                && node.output().size(position.axis()) == x.size(position.axis());
        require(same, node, "moves positions");
        List<Form> forms = new ArrayList<>();
        for (Tensor input : node.inputs()) {
            forms.add(input == x ? Form.SINGLE : input.length() == 1 ? Form.WHOLE : Form.ALONG);
        }
        return new Flow(position, forms);
    }

    private Flow view(Node node, Position position) {
        Tensor x = node.input(0);
        Tensor y = node.output();
        Position moved = position;
        if (node.op() instanceof Op.Reshape) {
            Position found = Position.of(position.before(x.shape()), length, y.shape());
            moved = present(found, node, "spreads positions over several axes");
        } else if (node.op() instanceof Op.Permute permute) {
            int leading = leading(x);
            require(batch == 1 || permute.axes().get(leading(y)) == leading, node, "moves the axis of the batch");
            moved = new Position(permute.axes().indexOf(position.axis()), position.outer());
        } else {
            boolean whole = y.size(position.axis()) == x.size(position.axis());
            require(whole, node, "chooses or sums positions");
            int leading = leading(x);
            require(batch == 1 || y.size(leading) == x.size(leading), node, "chooses or sums texts");
        }
        return Flow.of(moved, Form.SINGLE);
    }

    /** Rows of the left factor are positions; what is read of the right factor is a cache if it depends on the text. */
    private Flow product(Node node) {
        Position position = text.get(node.input(0));
        int rank = node.output().rank();
        if (position == null) {
            Position right = text.get(node.input(1));
            if (right != null) {
                require(right.axis() == rank - 1, node, "sums positions");
                require(node.op() instanceof Op.MatMul, node, "is transposed attention");
                return products(node, right, Form.WHOLE, Form.SINGLE);
            }
            return products(node, first(node), Form.WHOLE, Form.WHOLE);
        }
        require(position.axis() != rank - 1, node, "sums positions");
        if (position.axis() < rank - 2 && node.input(1).size(position.axis()) != 1) {
            return products(node, position, Form.SINGLE, Form.ALONG);
        }
        return products(node, position, Form.SINGLE, Form.WHOLE);
    }

    private static Flow products(Node node, Position position, Form left, Form right) {
        List<Form> forms = new ArrayList<>(List.of(left, right));
        boolean bias = node.op() instanceof Op.MatMul product && product.bias();
        if (bias) {
            forms.add(Form.WHOLE);
        }
        while (forms.size() < node.inputs().size()) {
            forms.add(Form.ALONG);
        }
        return new Flow(position, forms);
    }

    private static List<Form> firstAnd(Form first, Form others, Node node) {
        List<Form> forms = new ArrayList<>(List.of(first));
        while (forms.size() < node.inputs().size()) {
            forms.add(others);
        }
        return forms;
    }

    /** Returns the axis that holds the texts of the batch: the first that is not of size 1. */
    static int leading(Tensor tensor) {
        int axis = 0;
        while (axis < tensor.rank() - 1 && tensor.size(axis) == 1) {
            axis++;
        }
        return axis;
    }

    private Position position(Node node, int index) {
        return present(text.get(node.input(index)), node, "does not have its position where it is expected");
    }

    private Position first(Node node) {
        for (Tensor input : node.inputs()) {
            Position position = text.get(input);
            if (position != null) {
                return position;
            }
        }
        throw new IllegalArgumentException(node + " does not depend on the text");
    }

    private static void require(boolean condition, Node node, String otherwise) {
        if (!condition) {
            throw new UncompilableException(describe(node) + ", which " + otherwise);
        }
    }

    private static String describe(Node node) {
        return "the model computes " + node.output() + " by " + node.op().title() + " of "
                + node.inputs().stream().map(Tensor::toString).toList();
    }

    private static <T> T present(@Nullable T value, Node node, String otherwise) {
        if (value == null) {
            throw new UncompilableException(describe(node) + ", which " + otherwise);
        }
        return value;
    }
}
