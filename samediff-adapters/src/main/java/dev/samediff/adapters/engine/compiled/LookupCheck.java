package dev.samediff.adapters.engine.compiled;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.nd4j.Placeholders;
import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Placeholders whose numbers are rows of tables, compared with the tables before a plan runs: kernels compare, too, but know no
 * names.
 */
final class LookupCheck {
    private final List<Lookup> lookups = new ArrayList<>();

    /** A placeholder, and the table whose rows it names. */
    private record Lookup(String placeholder, Tensor table) {}

    /**
     * Finds them.
     *
     * @param program the program that runs
     * @param placeholders tells which of its leaves are placeholders
     */
    LookupCheck(Program program, Predicate<String> placeholders) {
        Map<Tensor, Node> producers = new HashMap<>();
        program.nodes().forEach(node -> node.outputs().forEach(output -> producers.put(output, node)));
        for (Node node : program.nodes()) {
            if (node.op() instanceof Op.Gather) {
                Tensor ids = node.input(1);
                while (producers.get(ids) != null
                        && keepsNumbers(producers.get(ids).op())) {
                    ids = producers.get(ids).input(0);
                }
                if (producers.get(ids) == null && placeholders.test(ids.name())) {
                    lookups.add(new Lookup(ids.name(), node.input(0)));
                }
            }
        }
    }

    private static boolean keepsNumbers(Op op) {
        return op instanceof Op.Reshape
                || op instanceof Op.Expand
                || (op instanceof Op.Nd4j call && call.call().op().opName().equals("cast"));
    }

    /**
     * Compares.
     *
     * @throws InvalidInputException if a number is no row
     */
    void check(Map<String, INDArray> values) {
        for (Lookup lookup : lookups) {
            INDArray ids = values.get(lookup.placeholder());
            if (ids != null) {
                Placeholders.requireRows(
                        lookup.placeholder(),
                        ids,
                        lookup.table().size(0),
                        lookup.table().name());
            }
        }
    }
}
