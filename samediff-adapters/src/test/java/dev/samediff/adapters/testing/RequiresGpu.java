package dev.samediff.adapters.testing;

import dev.samediff.adapters.backend.CudaGate;
import dev.samediff.adapters.backend.CudaVerdict;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Tests that need a CUDA device. They are skipped with the gate's reason where there is none; with
 * {@code -Dgpu.required=true} they fail there.
 */
@Retention(RetentionPolicy.RUNTIME)
@Tag("gpu")
@ExtendWith(RequiresGpu.Condition.class)
public @interface RequiresGpu {
    /** The gate's verdict. */
    final class Condition implements ExecutionCondition {
        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            return judge(CudaGate.verdict(), Boolean.getBoolean("gpu.required"));
        }

        static ConditionEvaluationResult judge(CudaVerdict verdict, boolean required) {
            if (verdict.usable()) {
                return ConditionEvaluationResult.enabled(verdict.sentence());
            }
            if (required) {
                throw new AssertionError("-Dgpu.required=true, but " + verdict.sentence());
            }
            return ConditionEvaluationResult.disabled(verdict.sentence());
        }
    }
}
