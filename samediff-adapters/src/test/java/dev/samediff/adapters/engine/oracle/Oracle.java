package dev.samediff.adapters.engine.oracle;

import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Runs whole programs in float64. */
public final class Oracle {
    private Oracle() {}

    /** Returns the outputs by name, in row-major order, for values of the leaves by name. */
    public static Map<String, double[]> run(Program program, Map<String, double[]> leaves) {
        Map<Tensor, Values> values = new HashMap<>();
        program.leaves().forEach((name, tensor) -> {
            double[] data = leaves.get(name);
            if (data == null) {
                throw new IllegalArgumentException("no value of `" + name + "`; given: " + leaves.keySet());
            }
            values.put(tensor, new Values(tensor.shape(), data));
        });
        program.literals().forEach((tensor, array) -> values.put(tensor, literal(tensor, array)));
        for (Node node : program.nodes()) {
            List<Values> inputs = new ArrayList<>();
            node.inputs().forEach(input -> inputs.add(values.get(input)));
            List<Values> outputs = OpMath.apply(node, inputs);
            for (int i = 0; i < outputs.size(); i++) {
                values.put(node.outputs().get(i), outputs.get(i));
            }
        }
        Map<String, double[]> results = new LinkedHashMap<>();
        program.outputs()
                .forEach((name, tensor) -> results.put(name, values.get(tensor).data()));
        return results;
    }

    private static Values literal(Tensor tensor, INDArray array) {
        return Nd4jMath.values(tensor.shape(), array);
    }
}
