package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.plan.Operand;
import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.ReduceKind;
import dev.samediff.adapters.engine.program.UnaryKind;
import org.jspecify.annotations.Nullable;

/**
 * Makes kernels of products, elementwise functions, copies and reductions; those of whole layers are made by {@link LayerKernels}. Every method checks its operands once and throws an {@link IllegalArgumentException} that says what does
 * not fit; an {@link IllegalStateException} says that oneDNN is not there.
 *
 * <p>Operands may be strided; where no fast kernel reads them so they are copied through working memory. A result may lie
 * where an operand lies if both have the same layout ("in place") and the method says so. Results depend on the number of
 * threads, and on nothing else but the operands.
 */
public final class Kernels {
    private Kernels() {}

    /**
     * Multiplies matrices: {@code dst = alpha a b (+ bias) (+ dst)}. FLOAT, or b alone BFLOAT16 (half the memory), or a
     * and b BFLOAT16 (native speed where the processor has it); sums are FLOAT.
     *
     * @param a [...,m,k]
     * @param b [...,k,n]; a transposed matrix is given by its strides
     * @param bias [n]
     * @param dst [...,m,n]; leading axes of a and b are equal to its own or 1
     * @param alpha factor of the product
     * @param accumulate whether the old dst is added
     */
    public static Kernel matmul(
            Operand a, Operand b, @Nullable Operand bias, Operand dst, double alpha, boolean accumulate) {
        return matmul(a, b, null, bias, dst, alpha, accumulate);
    }

    /** The same with copies of b that are faster to multiply by. */
    static Kernel matmul(
            Operand a,
            Operand b,
            PackedMatrices.@Nullable Matrix packed,
            @Nullable Operand bias,
            Operand dst,
            double alpha,
            boolean accumulate) {
        OneDnn.require();
        return Matmuls.kernel(new Matmuls.Product(
                Tensor.of(a), Tensor.of(b, packed), Tensors.of(bias), null, Tensor.of(dst), alpha, accumulate));
    }

    /**
     * Multiplies matrices and adds a mask, as for attention scores: {@code dst = alpha a b + mask}.
     *
     * @param a [...,m,k]
     * @param b [...,k,n]
     * @param mask every axis equal to that of dst or 1
     * @param dst [...,m,n]
     * @param alpha factor of the product, not of the mask
     */
    public static Kernel matmulMasked(Operand a, Operand b, Operand mask, Operand dst, double alpha) {
        OneDnn.require();
        return Matmuls.kernel(
                new Matmuls.Product(Tensor.of(a), Tensor.of(b), null, Tensor.of(mask), Tensor.of(dst), alpha, false));
    }

    /**
     * Combines two tensors element by element, with axes of size 1 (and missing leading axes) repeated.
     *
     * @param a the first operand
     * @param b the second operand
     * @param dst the result; may be a or b, in place
     */
    public static Kernel binary(BinaryKind kind, Operand a, Operand b, Operand dst) {
        OneDnn.require();
        Assembly assembly = new Assembly("binary " + kind + " " + dst);
        Binaries.add(assembly, kind, Tensor.of(a), Tensor.of(b), Tensor.of(dst));
        return assembly.build();
    }

    /**
     * Applies a function to every element: {@code dst = f(x)}.
     *
     * @param alpha parameter of the function, see {@link UnaryKind}
     * @param beta parameter of the function, see {@link UnaryKind}
     * @param x the operand
     * @param dst the result; may be x, in place
     */
    public static Kernel unary(UnaryKind kind, double alpha, double beta, Operand x, Operand dst) {
        OneDnn.require();
        Assembly assembly = new Assembly("unary " + kind + " " + dst);
        Unaries.forward(assembly, kind, alpha, beta, Tensor.of(x), Tensor.of(dst));
        return assembly.build();
    }

    /**
     * Goes back through a function of every element: {@code dx = dy f'(x)}.
     *
     * @param alpha parameter of the function, see {@link UnaryKind}
     * @param beta parameter of the function, see {@link UnaryKind}
     * @param dy gradient of the result
     * @param x the input of the forward pass
     * @param dx gradient of the input; may be dy, in place
     */
    public static Kernel unaryGrad(UnaryKind kind, double alpha, double beta, Operand dy, Operand x, Operand dx) {
        OneDnn.require();
        Assembly assembly = new Assembly("gradient of unary " + kind + " " + dx);
        Unaries.backward(assembly, kind, alpha, beta, Tensor.of(dy), Tensor.of(x), Tensor.of(dx));
        return assembly.build();
    }

    /**
     * Copies with any strides on both sides, and converts FLOAT and BFLOAT16 into each other.
     *
     * @param x the operand; axes of stride 0 are repeated
     * @param dst the result, of the same shape, elsewhere
     */
    public static Kernel copy(Operand x, Operand dst) {
        OneDnn.require();
        Assembly assembly = new Assembly("copy " + x + " to " + dst);
        Copies.add(assembly, Tensor.of(x), Tensor.of(dst));
        return assembly.build();
    }

    /**
     * Fills with one value.
     *
     * @param value rounded to the type of dst; a BOOL becomes whether it is not 0
     * @param dst the result
     */
    public static Kernel fill(double value, Operand dst) {
        OneDnn.require();
        Assembly assembly = new Assembly("fill " + dst);
        Copies.fill(assembly, value, Tensor.of(dst));
        return assembly.build();
    }

    /**
     * Reduces along the axes where dst has size 1 and x has not.
     *
     * @param x the operand
     * @param dst the result, of the same rank
     */
    public static Kernel reduce(ReduceKind kind, Operand x, Operand dst) {
        OneDnn.require();
        Assembly assembly = new Assembly("reduce " + kind + " " + x + " to " + dst);
        Reductions.add(assembly, kind, Tensor.of(x), Tensor.of(dst));
        return assembly.build();
    }
}
