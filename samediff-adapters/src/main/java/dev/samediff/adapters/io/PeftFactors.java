package dev.samediff.adapters.io;

import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.BaseHash;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.SiteKind;
import dev.samediff.adapters.WholeTensors;
import dev.samediff.adapters.graph.LinearSites;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The low-rank factors of one module as PEFT's files have them, those of a convolution as those of the product that it is.
 *
 * @param a A [r,in]; of experts [experts * r, in]
 * @param b B [out,r]; of experts [out, r * experts]
 * @param lengths the lengths of columns [out] of DoRA, if there are any
 * @param bias the bias of B [out], if there is one
 * @param kind whether they are an embedding's or experts'
 * @param weight name of the parameter
 * @param tableHash hash of the table of an embedding, which PEFT saves with some adapters; else unknown
 * @param kernel sizes of a convolution's kernel; none otherwise
 */
record PeftFactors(
        INDArray a,
        INDArray b,
        @Nullable INDArray lengths,
        @Nullable INDArray bias,
        SiteKind kind,
        String weight,
        String tableHash,
        List<Integer> kernel) {
    private static final String TABLE = ".base_layer.weight";

    private static final List<String> FACTORS = List.of(
            PeftForm.A, PeftForm.B, PeftForm.EMBEDDING_A, PeftForm.EMBEDDING_B, PeftForm.MAGNITUDE, PeftForm.BIAS);

    /**
     * Reads the factors of all modules.
     *
     * @param tensors the tensors of a file
     * @param choice those of them that are trained whole
     * @param file the file, for messages
     * @param parameters {@code target_parameters}, the names of experts
     * @return factors by module path, of experts by the path of their stack
     */
    static Map<String, PeftFactors> of(
            Map<String, INDArray> tensors, WholeTensors choice, Path file, List<String> parameters) {
        return named(read(tensors, choice, file), parameters);
    }

    /** Tells the tensors of experts from those of modules, and calls them by the path of their stack. */
    private static Map<String, PeftFactors> named(Map<String, PeftFactors> found, List<String> parameters) {
        Map<String, PeftFactors> named = new LinkedHashMap<>();
        found.forEach((path, ab) -> PeftExperts.parameter(path, parameters)
                .ifPresentOrElse(
                        parameter -> named.put(
                                LinearSites.modulePath(parameter),
                                new PeftFactors(
                                        ab.a(),
                                        ab.b(),
                                        ab.lengths(),
                                        ab.bias(),
                                        SiteKind.EXPERTS,
                                        parameter,
                                        ab.tableHash(),
                                        List.of())),
                        () -> named.put(path, ab)));
        return named;
    }

    private static Map<String, PeftFactors> read(Map<String, INDArray> tensors, WholeTensors choice, Path file) {
        Set<String> modules = new LinkedHashSet<>();
        tensors.forEach((key, tensor) -> {
            if (!isFrozenCopy(key, tensors) && PeftWhole.key(key, choice).isEmpty()) {
                modules.add(moduleOf(key, tensor, file));
            }
        });
        Map<String, PeftFactors> factors = new LinkedHashMap<>();
        for (String module : modules) {
            factors.put(module, of(module, tensors, file));
        }
        return factors;
    }

    private static PeftFactors of(String module, Map<String, INDArray> tensors, Path file) {
        String prefix = PeftForm.PREFIX + module;
        boolean embedding = tensors.containsKey(prefix + PeftForm.EMBEDDING_A)
                || tensors.containsKey(prefix + PeftForm.EMBEDDING_B);
        INDArray a = tensors.get(prefix + (embedding ? PeftForm.EMBEDDING_A : PeftForm.A));
        INDArray b = tensors.get(prefix + (embedding ? PeftForm.EMBEDDING_B : PeftForm.B));
        if (a == null || b == null) {
            throw new InvalidInputException("the layer `" + module + "` in " + file + " has only one of"
                    + (embedding ? " lora_embedding_A and lora_embedding_B" : " lora_A and lora_B")
                    + "; save the adapter again");
        }
        if (embedding && (tensors.containsKey(prefix + PeftForm.A) || tensors.containsKey(prefix + PeftForm.B))) {
            throw new InvalidInputException("the layer `" + module + "` in " + file
                    + " has the tensors of an embedding and of a linear layer; save the adapter again");
        }
        SiteKind kind = embedding ? SiteKind.EMBEDDING : SiteKind.LINEAR;
        INDArray lengths = tensors.get(prefix + PeftForm.MAGNITUDE); // [1,out,1,1] of a convolution
        return new PeftFactors(
                flat(a),
                flat(b),
                lengths == null ? null : lengths.dup('c').reshape(-1),
                tensors.get(prefix + PeftForm.BIAS),
                kind,
                module + ".weight",
                embedding ? hashOf(tensors.get(prefix + TABLE)) : AdapterState.UNKNOWN_HASH, // may be stored turned
                kernel(module, a, b, file));
    }

    /** The axes of A behind [r,in], to which B has as many of size 1. */
    private static List<Integer> kernel(String module, INDArray a, INDArray b, Path file) {
        boolean pointwise = a.rank() == b.rank() && b.length() == b.size(0) * b.size(1);
        if (a.rank() < 2 || b.rank() < 2 || !pointwise) {
            throw new InvalidInputException("the layer `" + module + "` in " + file + " has A "
                    + Arrays.toString(a.shape()) + " and B " + Arrays.toString(b.shape())
                    + "; expected [r,in] and [out,r], or of a convolution [r,in,kernel...] and [out,r,1...]: both must"
                    + " come from one training");
        }
        return Arrays.stream(a.shape())
                .skip(2)
                .mapToInt(Math::toIntExact)
                .boxed()
                .toList();
    }

    /** The factors of a convolution, A [r,in,kh,kw] and B [out,r,1,1], as those of the product that it is. */
    private static INDArray flat(INDArray factor) {
        return factor.rank() == 2 ? factor : factor.dup('c').reshape(factor.size(0), -1);
    }

    private static String hashOf(@Nullable INDArray table) {
        if (table == null || table.rank() != 2 || table.dataType() != DataType.FLOAT) {
            return AdapterState.UNKNOWN_HASH;
        }
        return BaseHash.ofWeight(table);
    }

    /** PEFT saves the frozen weight along with the adapter of a layer that is called embed_tokens or lm_head. */
    private static boolean isFrozenCopy(String key, Map<String, INDArray> tensors) {
        if (!key.endsWith(TABLE)) {
            return false;
        }
        String prefix = key.substring(0, key.length() - TABLE.length());
        return tensors.containsKey(prefix + PeftForm.EMBEDDING_A) || tensors.containsKey(prefix + PeftForm.A);
    }

    private static String moduleOf(String key, INDArray tensor, Path file) {
        String suffix = FACTORS.stream().filter(key::endsWith).findFirst().orElse("");
        if (!key.startsWith(PeftForm.PREFIX)
                || suffix.isEmpty()
                || key.length() <= PeftForm.PREFIX.length() + suffix.length()) {
            throw new InvalidInputException("the tensor `" + key + "` in " + file
                    + " is not supported; expected " + PeftForm.PREFIX + "<module path>" + PeftForm.A + " and "
                    + PeftForm.B + ", or " + PeftForm.EMBEDDING_A + " and " + PeftForm.EMBEDDING_B
                    + ", or what modules_to_save and bias name: merge the adapter in PEFT instead");
        }
        boolean isMatrix = tensor.rank() >= 2 && tensor.rank() <= 5
                || suffix.equals(PeftForm.MAGNITUDE)
                || (suffix.equals(PeftForm.BIAS) && tensor.rank() == 1);
        if (!isMatrix || tensor.isEmpty() || !tensor.dataType().isFPType()) {
            throw new InvalidInputException("the tensor `" + key + "` in " + file + " is " + tensor.dataType()
                    + Arrays.toString(tensor.shape()) + "; expected a matrix of floating-point numbers (a linear"
                    + " layer or an embedding), or the factors of a convolution");
        }
        return key.substring(PeftForm.PREFIX.length(), key.length() - suffix.length());
    }
}
