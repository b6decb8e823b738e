package dev.samediff.adapters.graph;

import dev.samediff.adapters.InvalidInputException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Which matrices of a graph are the weights of convolutions. A convolution in one group is a product with its weight as a matrix [out, in *
 * k...]; what PyTorch's module holds, and PEFT's files for it, is [out, in, k...]. The sizes k... stand in the graph, as whole numbers that no
 * op reads, so that they are saved and copied with it.
 */
public final class ConvolutionKernels {
    /** Ends the names of the constants. */
    private static final String SUFFIX = "/kernel_sizes";

    private ConvolutionKernels() {}

    /**
     * Says that a matrix is the weight of a convolution.
     *
     * @param graph the graph, before an adapter is injected
     * @param weight name of a matrix [out, in * k...]
     * @param kernel sizes of the kernel, one to three
     * @throws InvalidInputException if the sizes do not fit the matrix
     */
    public static void put(SameDiff graph, String weight, long... kernel) {
        SDVariable variable = graph.getVariable(weight);
        long[] shape = variable == null ? null : variable.getShape();
        long places = places(kernel);
        if (shape == null || shape.length != 2 || kernel.length == 0 || places < 1 || shape[1] % places != 0) {
            throw new InvalidInputException("the kernel " + Arrays.toString(kernel) + " does not fit `" + weight + "` "
                    + (shape == null ? "which the graph does not have" : Arrays.toString(shape))
                    + "; expected a matrix [out, in * kernel]");
        }
        graph.constant(weight + SUFFIX, Nd4j.createFromArray(kernel));
    }

    private static long places(long[] kernel) {
        return Arrays.stream(kernel).reduce(1, (a, b) -> a * b);
    }

    /** Returns the sizes of a convolution's kernel; none, if the weight is no convolution's. */
    static List<Integer> of(SameDiff graph, String weight) {
        SDVariable sizes = graph.getVariable(weight + SUFFIX);
        return sizes == null
                ? List.of()
                : Arrays.stream(sizes.getArr().toIntVector()).boxed().toList();
    }

    /**
     * Gives a matrix [rows, columns * k...] the axes of a kernel.
     *
     * @param kernel k..., none of a linear layer
     * @return [rows, columns, k...], a view where it can be one
     */
    public static INDArray unfolded(INDArray matrix, List<Integer> kernel) {
        if (kernel.isEmpty()) {
            return matrix;
        }
        long[] sizes = kernel.stream().mapToLong(size -> size).toArray();
        return matrix.reshape(
                'c', joined(matrix.size(0), matrix.size(1) / places(sizes), sizes)); // ND4J copies what is no view
    }

    /**
     * Gives a matrix [rows, columns] as many axes more as a kernel has, of size 1.
     *
     * @param kernel k..., none of a linear layer
     */
    public static INDArray pointwise(INDArray matrix, List<Integer> kernel) {
        long[] ones = new long[kernel.size()];
        Arrays.fill(ones, 1);
        return kernel.isEmpty() ? matrix : matrix.reshape('c', joined(matrix.size(0), matrix.size(1), ones));
    }

    private static long[] joined(long first, long second, long[] rest) {
        return LongStream.concat(LongStream.of(first, second), Arrays.stream(rest))
                .toArray();
    }
}
