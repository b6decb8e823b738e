package dev.samediff.adapters.engine.testing;

import dev.samediff.adapters.engine.kernel.HostTarget;
import dev.samediff.adapters.engine.plan.Plan;
import dev.samediff.adapters.engine.plan.PlanCompiler;
import dev.samediff.adapters.engine.plan.Target;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Compiles a program and runs it once. */
public final class ProgramRun {
    private ProgramRun() {}

    /** Returns the outputs by name, in row-major order, for values of the leaves, as the host computes them. */
    public static Map<String, double[]> run(
            Program program, Map<String, double[]> values, Set<String> frozen, int threads) {
        try (Target target = new HostTarget(threads, true)) {
            return run(program, values, frozen, target);
        }
    }

    /** Returns the outputs by name, in row-major order, for values of the leaves, as a target computes them. */
    public static Map<String, double[]> run(
            Program program, Map<String, double[]> values, Set<String> frozen, Target target) {
        try (Plan plan = PlanCompiler.compile(program, target, frozen)) {
            Map<String, double[]> outputs = new LinkedHashMap<>();
            plan.run(name -> array(program.leaves().get(name), values.get(name)), null)
                    .forEach((name, result) -> outputs.put(
                            name, result.castTo(DataType.DOUBLE).dup('c').data().asDouble()));
            return outputs;
        }
    }

    private static INDArray array(Tensor tensor, double[] values) {
        return Nd4j.createFromArray(values).reshape(tensor.shape()).castTo(tensor.type());
    }

    /** Rounds numbers to BFLOAT16. */
    public static double[] bfloat16(double[] values) {
        return Arrays.stream(values).map(ProgramRun::bfloat16).toArray();
    }

    private static double bfloat16(double x) {
        int bits = Float.floatToRawIntBits((float) x);
        return Float.intBitsToFloat(bits + 0x7FFF + (bits >>> 16 & 1) & 0xFFFF0000);
    }
}
