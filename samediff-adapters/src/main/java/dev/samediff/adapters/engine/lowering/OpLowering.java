package dev.samediff.adapters.engine.lowering;

import dev.samediff.adapters.engine.program.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Translates one kind of op. */
@FunctionalInterface
interface OpLowering {
    /** Returns the tensors of the outputs, or null if this use of the op has no translation. */
    @Nullable
    List<Tensor> lower(Call call);
}
