package dev.samediff.samples.analyse;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.analysis.AdapterAnalysis;
import dev.samediff.adapters.analysis.AnalysedWeight;
import dev.samediff.adapters.analysis.ModelAnalysis;
import dev.samediff.adapters.graph.AdaptableLayers;
import dev.samediff.adapters.graph.AdaptableSite;
import dev.samediff.adapters.io.Safetensors;
import dev.samediff.importer.ImportedModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The matrices of a model as they were before or after weights were trained whole, by name. */
public final class WholeWeights {
    private static final String SAFETENSORS = ".safetensors";
    private static final String WEIGHT = ".weight";

    private WholeWeights() {}

    /** Returns whether a path names a file of tensors and no model. */
    public static boolean isTensors(Path path) {
        return path.toString().toLowerCase(Locale.ROOT).endsWith(SAFETENSORS);
    }

    /** Returns the floating-point matrices of a safetensors file, as they are stored, by name without {@code .weight}. */
    public static Map<String, INDArray> ofTensors(Path file) throws IOException {
        Map<String, INDArray> matrices = new LinkedHashMap<>();
        Safetensors.read(file).tensors().forEach((name, tensor) -> {
            if (tensor.rank() == 2 && !tensor.isEmpty() && tensor.dataType().isFPType()) {
                matrices.put(name.endsWith(WEIGHT) ? name.substring(0, name.length() - WEIGHT.length()) : name, tensor);
            }
        });
        return matrices;
    }

    /** Returns the weights [in,out] of a model's linear layers and embeddings by module path. */
    public static Map<String, INDArray> ofModel(ImportedModel model) {
        Map<String, INDArray> matrices = new LinkedHashMap<>();
        for (AdaptableSite site :
                AdaptableLayers.of(model.graph(), model.modulePaths()).sites()) {
            INDArray stored = model.graph().getVariable(site.weight()).getArr();
            if (stored.rank() == 2) {
                matrices.put(site.module(), site.orientation().asInOut(stored));
            }
        }
        return matrices;
    }

    /**
     * Returns the names of the matrices that training changed.
     *
     * @param before the base model's
     * @param after the trained one's, perhaps only those that were trained
     * @param what the trained one, for messages
     * @throws InvalidInputException if none is in both, none was changed, or a shape differs
     */
    public static List<String> changed(Map<String, INDArray> before, Map<String, INDArray> after, String what) {
        List<String> common =
                after.keySet().stream().filter(before::containsKey).toList();
        if (common.isEmpty()) {
            throw new InvalidInputException("no matrix of " + what + " is one of the base model's: it has "
                    + some(after) + ", the base model has " + some(before)
                    + "; give two models, or two files of tensors, of the same names");
        }
        List<String> changed = common.stream()
                .filter(name -> differ(name, matrix(before, name), matrix(after, name)))
                .toList();
        if (changed.isEmpty()) {
            throw new InvalidInputException("the " + common.size() + " matrices that " + what
                    + " and the base model have in common are equal; nothing was trained");
        }
        return changed;
    }

    private static boolean differ(String name, INDArray before, INDArray after) {
        if (!Arrays.equals(before.shape(), after.shape())) {
            throw new InvalidInputException("`" + name + "` is " + Arrays.toString(before.shape())
                    + " in the base model and " + Arrays.toString(after.shape())
                    + " in the trained one; give a model that was trained from this base");
        }
        INDArray difference = after.castTo(DataType.DOUBLE).sub(before.castTo(DataType.DOUBLE));
        return difference.norm2Number().doubleValue() != 0; // NaN is a difference, which the decomposition will refuse
    }

    /** Returns a matrix that is there. */
    static INDArray matrix(Map<String, INDArray> matrices, String name) {
        return Objects.requireNonNull(matrices.get(name), name);
    }

    private static String some(Map<String, INDArray> matrices) {
        return matrices.isEmpty()
                ? "none"
                : matrices.keySet().stream().limit(3).toList() + (matrices.size() > 3 ? " and others" : "");
    }

    /** Compares a matrix of the base model with a trained one. */
    static ModelAnalysis.Matrix compare(
            AdapterAnalysis analysis, String name, INDArray before, INDArray after, int rank) {
        AnalysedWeight base = analysis.of(before.castTo(DataType.DOUBLE));
        int leading = Math.min(rank, base.triplets());
        return new ModelAnalysis.Matrix(name, leading, base.spectrum(), base.to(after, leading), Optional.empty());
    }
}
