package dev.samediff.adapters.graph;

import dev.samediff.adapters.LayerInput;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The input of an embedding: {@code onehot(ids)} [N,in], in two factors. N is the number of ids.
 *
 * <p>SameDiff's gather cannot be trained through: its gradient overwrites repeated rows instead of adding them up. A
 * one-hot product can, but costs N times in numbers of memory. With {@code id = b q + p}, 0 <= p < b, a product with
 * onehot(q) [N,in/b] picks the block of b rows in which the id lies, and the sum over b with onehot(p) picks the row:
 *
 * <pre>
 * M [in,k] seen as [in/b, b k];  blocks = onehot(q) M  [N, b, k];  x M = sum_b onehot(p) * blocks  [N,k]
 * </pre>
 *
 * <p>The arithmetic is that of one product with the one-hot matrix; the memory is {@code N (in/b + b k)}, least for
 * {@code b = sqrt(in/k)}. All ops of it are differentiated right and survive saving.
 *
 * <p>Ids below zero count from the end, as those of the lookup that this goes beside; that one refuses what is no row.
 *
 * @param ids whole numbers in [-in,in), of any shape
 * @param in number of rows of the table
 */
record EmbeddingInput(SDVariable ids, int in) implements LayerInput {
    @Override
    public SameDiff graph() {
        return ids.getSameDiff();
    }

    @Override
    public SDVariable times(String name, SDVariable matrix) {
        SameDiff graph = graph();
        DataType type = matrix.dataType();
        int width = (int) matrix.getShape()[1];
        int block = Math.max(1, (int) Math.round(Math.sqrt((double) in / width)));
        int blocks = (in + block - 1) / block;
        SDVariable given = graph.reshape(name + "/ids", ids, -1).castTo(name + "/given", DataType.DOUBLE);
        SDVariable id =
                graph.math.floorMod(name + "/number", given, graph.constant(name + "/count", Nd4j.scalar((double) in)));
        SDVariable quotient = graph.math.floor(
                name + "/quotient",
                id.add(name + "/middle", 0.5).div(name + "/exact", block)); // the half keeps rounding out
        SDVariable remainder = id.sub(name + "/remainder", quotient.mul(name + "/before", block));
        SDVariable rows = graph.reshape(name + "/blocks", padded(name, matrix, blocks * block), blocks, block * width);
        SDVariable picked = graph.mmul(name + "/picked", oneHot(name + "/block", quotient, blocks, type), rows);
        SDVariable inBlock = graph.expandDims(name + "/column", oneHot(name + "/row", remainder, block, type), 2);
        return graph.reshape(name + "/rows", picked, -1, block, width)
                .mul(name + "/chosen", inBlock)
                .sum(name, 1);
    }

    private SDVariable padded(String name, SDVariable matrix, int rows) {
        if (rows == in) {
            return matrix;
        }
        SDVariable padding =
                graph().constant(name + "/padding", Nd4j.zeros(matrix.dataType(), rows - in, matrix.getShape()[1]));
        return graph().concat(name + "/padded", 0, matrix, padding);
    }

    private SDVariable oneHot(String name, SDVariable index, int depth, DataType type) {
        return graph().oneHot(name, index.castTo(name + "/index", DataType.LONG), depth, -1, 1, 0, type);
    }
}
