package dev.samediff.importer.lowering;

import dev.samediff.importer.onnx.OnnxTensor;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A value of the ONNX graph while it is translated: its type and sizes, its elements if they are known, and its variable,
 * which is put into the graph only when something needs it.
 */
public final class Value {
    private final DataType type;
    private final List<Dim> dims;
    private final @Nullable HostTensor content;
    private final @Nullable Stored stored;
    private final Supplier<SDVariable> emission;
    private @Nullable SDVariable variable;

    /**
     * A tensor of the file behind a value.
     *
     * @param tensor the tensor
     * @param untransposed the value as it is stored, if this one is its transpose
     */
    public record Stored(OnnxTensor tensor, @Nullable Value untransposed) {}

    Value(
            DataType type,
            List<Dim> dims,
            @Nullable HostTensor content,
            @Nullable Stored stored,
            Supplier<SDVariable> emission) {
        this.type = type;
        this.dims = List.copyOf(dims);
        this.content = content;
        this.stored = stored;
        this.emission = emission;
    }

    /** A value computed by the graph. */
    static Value computed(SDVariable variable, DataType type, List<Dim> dims) {
        return new Value(type, dims, null, null, () -> variable);
    }

    /** Returns the element type. */
    public DataType type() {
        return type;
    }

    /** Returns the size of every axis. */
    public List<Dim> dims() {
        return dims;
    }

    /** Returns the size of one axis. */
    public Dim dim(int axis) {
        return dims.get(axis);
    }

    /** Returns the number of axes. */
    public int rank() {
        return dims.size();
    }

    /** Returns the elements if they are known or symbolic sizes, else null. */
    public @Nullable HostTensor content() {
        return content;
    }

    /** Returns the tensor of the file that this is, else null. */
    public @Nullable Stored stored() {
        return stored;
    }

    /** Tells whether no computation leads to this value: it is stored or its elements are known. */
    public boolean isConstant() {
        return stored != null || (content != null && !content.isSymbolic());
    }

    /** Tells whether this is one known floating-point number. */
    public boolean isScalar() {
        return content != null && content.isSingle() && type.isFPType();
    }

    /** Returns the one known number. */
    public double scalar() {
        if (content == null) {
            throw new IllegalStateException("not a known number");
        }
        return content.asDouble(0);
    }

    /** Returns the variable, which is created at the first call. */
    public SDVariable variable() {
        SDVariable existing = variable;
        if (existing == null) {
            existing = emission.get();
            variable = existing;
        }
        return existing;
    }

    @Override
    public String toString() {
        return type + dims.toString();
    }
}
