package dev.samediff.dl4j.layer;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.Factorization;
import dev.samediff.adapters.SiteShape;
import dev.samediff.adapters.linalg.Decompositions;
import dev.samediff.adapters.linalg.LapackDecompositions;
import dev.samediff.adapters.linalg.SvdChoice;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Starts of adapters on a network's weights. */
public final class Starts {
    private static final Decompositions LINALG = SvdChoice.auto().over(new LapackDecompositions());

    private Starts() {}

    /**
     * Factorises a weight, in float64 if it is, else in float32.
     *
     * @param weight the true weight [in,out], any view
     * @param site the layer
     * @param method the method
     * @param seed seed of this weight's random numbers
     */
    public static Factorization factorize(INDArray weight, SiteShape site, AdapterMethod method, long seed) {
        try (MemoryWorkspace outside = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces()) {
            INDArray matrix = weight.dataType() == DataType.HALF || weight.dataType() == DataType.BFLOAT16
                    ? weight.castTo(DataType.FLOAT)
                    : weight;
            return method.factorize(matrix.dup('c'), site, LINALG, seed);
        }
    }
}
