package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.plan.Operand;
import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.ReduceKind;
import dev.samediff.adapters.engine.program.UnaryKind;
import org.jspecify.annotations.Nullable;

/**
 * Makes kernels of products, elementwise functions, copies and reductions; those of whole layers are made by {@link LayerKernels}. Every method checks its operands once and throws an {@link IllegalArgumentException} that says what does
 * not fit.
 *
 * <p>Operands may be strided; where no fast kernel reads them so they are copied through working memory. A result may lie
 * where an operand lies if both have the same layout ("in place") and the method says so. Results depend on the number of
 * threads, and on nothing else but the operands.
 */
public final class Kernels {
    private final Workspace workspace;

    /**
     * Makes kernels that share working memory.
     *
     * @param workspace the memory
     * @throws IllegalStateException if oneDNN is not there
     */
    public Kernels(Workspace workspace) {
        OneDnn.require();
        this.workspace = workspace;
    }

    /** Makes kernels with working memory of their own, which lives as long as they do. */
    public Kernels() {
        this(new Workspace());
    }

    /**
     * Drops elements by a mask of {@code graph.Dropout}, which is computed while it is needed.
     *
     * @param site what tells the mask from those of other places
     * @param x the operand, without holes
     * @param draw LONG [2], see there
     * @param y the result; may be x, in place
     */
    public Kernel dropout(long site, Operand x, Operand draw, Operand y) {
        Assembly assembly = new Assembly("dropout " + y, workspace);
        Dropouts.add(assembly, site, TensorView.of(x), TensorView.of(draw), TensorView.of(y));
        return assembly.build();
    }

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
    public Kernel matmul(Operand a, Operand b, @Nullable Operand bias, Operand dst, double alpha, boolean accumulate) {
        return matmul(a, b, null, bias, dst, alpha, accumulate);
    }

    /** The same with copies of b that are faster to multiply by. */
    Kernel matmul(
            Operand a,
            Operand b,
            PackedMatrices.@Nullable Matrix packed,
            @Nullable Operand bias,
            Operand dst,
            double alpha,
            boolean accumulate) {
        return Matmuls.kernel(
                workspace,
                new Matmuls.Product(
                        TensorView.of(a),
                        TensorView.of(b, packed),
                        Tensors.of(bias),
                        null,
                        TensorView.of(dst),
                        alpha,
                        accumulate));
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
    public Kernel matmulMasked(Operand a, Operand b, Operand mask, Operand dst, double alpha) {
        return Matmuls.kernel(
                workspace,
                new Matmuls.Product(
                        TensorView.of(a),
                        TensorView.of(b),
                        null,
                        TensorView.of(mask),
                        TensorView.of(dst),
                        alpha,
                        false));
    }

    /**
     * Combines two tensors element by element, with axes of size 1 (and missing leading axes) repeated.
     *
     * @param a the first operand
     * @param b the second operand
     * @param dst the result; may be a or b, in place
     */
    public Kernel binary(BinaryKind kind, Operand a, Operand b, Operand dst) {
        Assembly assembly = new Assembly("binary " + kind + " " + dst, workspace);
        Binaries.add(assembly, kind, TensorView.of(a), TensorView.of(b), TensorView.of(dst));
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
    public Kernel unary(UnaryKind kind, double alpha, double beta, Operand x, Operand dst) {
        Assembly assembly = new Assembly("unary " + kind + " " + dst, workspace);
        Unaries.forward(assembly, kind, alpha, beta, TensorView.of(x), TensorView.of(dst));
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
    public Kernel unaryGrad(UnaryKind kind, double alpha, double beta, Operand dy, Operand x, Operand dx) {
        Assembly assembly = new Assembly("gradient of unary " + kind + " " + dx, workspace);
        Unaries.backward(assembly, kind, alpha, beta, TensorView.of(dy), TensorView.of(x), TensorView.of(dx));
        return assembly.build();
    }

    /**
     * Copies with any strides on both sides, and converts FLOAT and BFLOAT16 into each other.
     *
     * @param x the operand; axes of stride 0 are repeated
     * @param dst the result, of the same shape, elsewhere
     */
    public Kernel copy(Operand x, Operand dst) {
        Assembly assembly = new Assembly("copy " + x + " to " + dst, workspace);
        Copies.add(assembly, TensorView.of(x), TensorView.of(dst));
        return assembly.build();
    }

    /**
     * Fills with one value.
     *
     * @param value rounded to the type of dst; a BOOL becomes whether it is not 0
     * @param dst the result
     */
    public Kernel fill(double value, Operand dst) {
        Assembly assembly = new Assembly("fill " + dst, workspace);
        Copies.fill(assembly, value, TensorView.of(dst));
        return assembly.build();
    }

    /**
     * Reduces along the axes where dst has size 1 and x has not. Sums and means along axes of more than 4096 elements are
     * taken in stages: they are within 1e-6 of the exact ones for numbers of one sign.
     *
     * @param x the operand
     * @param dst the result, of the same rank
     */
    public Kernel reduce(ReduceKind kind, Operand x, Operand dst) {
        Assembly assembly = new Assembly("reduce " + kind + " " + x + " to " + dst, workspace);
        Reductions.add(assembly, kind, TensorView.of(x), TensorView.of(dst));
        return assembly.build();
    }
}
