package dev.samediff.adapters.engine.program;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The specification of programs: every tensor is defined once and before it is read, every operation has the inputs and outputs
 * that {@link OpCheck} states, and only a {@link Op.WriteRows} reads the leaf that it overwrites.
 *
 * <p>A program that breaks it is a fault of whatever wrote it, never of the graph: {@link IllegalStateException}. It is checked
 * once for every program that is compiled, and with assertions on (in tests) after every rewrite.
 */
public final class ProgramCheck {
    private final Program program;
    private final Set<Tensor> defined = new HashSet<>();

    private ProgramCheck(Program program) {
        this.program = program;
    }

    /**
     * Checks a program.
     *
     * @param stage what wrote it
     * @throws IllegalStateException that names the node and what is wrong with it
     */
    public static Program check(Program program, String stage) {
        try {
            new ProgramCheck(program).run();
        } catch (BrokenProgramException e) {
            throw new IllegalStateException("the program is wrong after " + stage + ": " + e.getMessage(), e);
        }
        return program;
    }

    /** Checks a program if assertions are on. */
    public static Program afterRewrite(Program program, String stage) {
        boolean assertions = false;
        assert assertions = true;
        return assertions ? check(program, stage) : program;
    }

    /** What is wrong with a program. */
    static final class BrokenProgramException extends RuntimeException {
        private static final long serialVersionUID = 1;

        BrokenProgramException(String message) {
            super(message);
        }
    }

    private void run() {
        program.leaves().values().forEach(this::define);
        program.literals().forEach((tensor, value) -> {
            define(tensor);
            require(
                    value.dataType() == tensor.type() && tensor.hasShape(value.shape()),
                    () -> "the literal " + tensor + " is " + value.shapeInfoToString());
        });
        for (Node node : program.nodes()) {
            for (Tensor input : node.inputs()) {
                require(defined.contains(input), () -> title(node) + " reads " + input + " before it is defined");
            }
            require(!node.outputs().isEmpty(), () -> title(node) + " has no output");
            node.outputs().forEach(this::define);
            OpCheck.check(node);
        }
        for (Map.Entry<String, Tensor> output : program.outputs().entrySet()) {
            require(
                    defined.contains(output.getValue()),
                    () -> "the output `" + output.getKey() + "`, " + output.getValue() + ", is not defined");
        }
        overwritten();
    }

    private void define(Tensor tensor) {
        require(defined.add(tensor), () -> tensor + " is defined twice");
    }

    private void overwritten() {
        Set<Tensor> written = new HashSet<>();
        for (Node node : program.nodes()) {
            if (node.op() instanceof Op.WriteRows) {
                require(
                        program.leaves().containsValue(node.input(0)),
                        () -> title(node) + " overwrites what is no leaf");
                require(written.add(node.input(0)), () -> node.input(0) + " is overwritten twice");
            }
        }
        for (Node node : program.nodes()) {
            for (int i = 0; i < node.inputs().size(); i++) {
                Tensor input = node.input(i);
                boolean own = node.op() instanceof Op.WriteRows && i == 0;
                require(
                        own || !written.contains(input),
                        () -> title(node) + " reads " + input + ", which is overwritten");
            }
        }
    }

    private static String title(Node node) {
        return node.op().title() + " (" + node.outputs() + ")";
    }

    private static void require(boolean holds, Supplier<String> otherwise) {
        if (!holds) {
            throw new BrokenProgramException(otherwise.get());
        }
    }
}
