package dev.samediff.importer.folding;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.tensor.HostTensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Constant folding: which operators can be evaluated while importing, and their evaluation. */
public final class HostFolding {
    private static final Map<String, HostOp> OPERATORS = new HashMap<>();

    static {
        HostArithmetic.register(OPERATORS);
        HostLogic.register(OPERATORS);
        HostMovement.register(OPERATORS);
        HostCreation.register(OPERATORS);
        HostReduction.register(OPERATORS);
    }

    private HostFolding() {}

    /** Returns the names of the operators that can be evaluated while importing. */
    public static Set<String> names() {
        return Set.copyOf(OPERATORS.keySet());
    }

    /**
     * Evaluates a node.
     *
     * @param budget counts what is computed
     * @return the outputs; nothing if the operator is not one of those folded, or the result depends on unknown sizes
     * @throws InvalidInputException if it cannot be computed of such inputs
     */
    public static Optional<List<HostTensor>> fold(
            OnnxNode node, List<@Nullable HostTensor> inputs, int opset, FoldingBudget budget) {
        if (!budget.allows(inputs)) {
            return Optional.empty();
        }
        return fold(node, inputs, opset).filter(results -> handedOn(results, inputs) || budget.admits(node, results));
    }

    /** Results that are inputs cost nothing. */
    private static boolean handedOn(List<HostTensor> results, List<@Nullable HostTensor> inputs) {
        return results.stream().allMatch(result -> inputs.stream().anyMatch(input -> input == result));
    }

    static Optional<List<HostTensor>> fold(OnnxNode node, List<@Nullable HostTensor> inputs, int opset) {
        HostOp operator = OPERATORS.get(node.operator());
        if (operator == null) {
            return Optional.empty();
        }
        try {
            return Optional.ofNullable(operator.apply(node, inputs, opset));
        } catch (InvalidInputException e) {
            throw e;
        } catch (RuntimeException e) { // inputs and attributes of any shape and number
            throw new InvalidInputException(
                    node + " cannot be computed: the graph is not valid ONNX (" + e.getMessage() + ")", e);
        }
    }
}
