package dev.samediff.adapters.train.optimizer;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Arrays of several shapes behind each other.
 *
 * @param vector all elements
 * @param parts the arrays, views of the vector
 */
record Flat(INDArray vector, List<INDArray> parts) {
    /** Returns zeros in the shapes of arrays. */
    static Flat like(List<INDArray> arrays) {
        long length = arrays.stream().mapToLong(INDArray::length).sum();
        return of(Nd4j.createUninitializedDetached(DataType.FLOAT, length).assign(0), arrays);
    }

    /** Returns the parts of a vector in the shapes of arrays. */
    static Flat of(INDArray vector, List<INDArray> arrays) {
        List<INDArray> parts = new ArrayList<>();
        long start = 0;
        for (INDArray array : arrays) {
            long end = start + array.length();
            parts.add(vector.get(NDArrayIndex.interval(start, end)).reshape('c', array.shape()));
            start = end;
        }
        return new Flat(vector, parts);
    }

    /** Takes the numbers of arrays, which are freed. */
    void assign(List<INDArray> arrays) {
        for (int i = 0; i < parts.size(); i++) {
            Optimizer.requireFloat("a gradient", arrays.get(i));
            parts.get(i).assign(arrays.get(i));
            Optimizer.free(arrays.get(i));
        }
    }

    /**
     * Takes the numbers of a gradient.
     *
     * @param wanted the gradient
     * @param sum the sum that it is of
     * @param work memory, overwritten
     */
    void assign(Slope wanted, Flat sum, Flat work) {
        sum.vector.muli(wanted.factor(), vector);
        if (wanted.coefficient() != 0) {
            wanted.addends().forEach((index, addend) -> {
                INDArray part = work.parts.get(index);
                addend.muli(wanted.coefficient(), part);
                parts.get(index).addi(part);
            });
        }
    }
}
