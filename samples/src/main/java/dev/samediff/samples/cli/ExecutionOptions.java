package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Precision;
import dev.samediff.importer.onnx.WeightPlace;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** How steps are executed. */
final class ExecutionOptions {
    @Option(
            names = "--engine",
            paramLabel = "NAME",
            defaultValue = "compiled",
            converter = KindConverter.class,
            description = "compiled: static plans of fused kernels; reference: SameDiff's own operations. Default:"
                    + " ${DEFAULT-VALUE}.")
    EngineOptions.Kind kind = EngineOptions.Kind.COMPILED;

    @Option(
            names = "--precision",
            paramLabel = "P",
            defaultValue = "f32",
            converter = PrecisionConverter.class,
            description =
                    "Of products with frozen weights: f32, bf16, auto for bf16 where the processor has it, or fp16"
                            + " for the forward pass on a CUDA device."
                            + " Adapters, normalisations, loss and optimiser are f32 always. Default: ${DEFAULT-VALUE}.")
    Precision precision = Precision.FLOAT32;

    @Option(
            names = "--recompute",
            description = "Compute activations once more in the backward pass instead of keeping them: less memory, up"
                    + " to a third more time.")
    boolean recompute;

    @Option(
            names = "--weights-directory",
            paramLabel = "DIR",
            description =
                    "Where frozen weights that no step reads lie in a file without a name, instead of in memory, and all weights"
                            + " of models of 268 million or more. Default: Java's folder of temporary files, or /var/tmp where that one is in"
                            + " memory.")
    @Nullable
    Path weights;

    /** Returns where weights lie in files: the folder that was given, or the usual one. */
    Path weightsDirectory() {
        if (weights != null && !Files.isDirectory(weights)) {
            throw new InvalidInputException(
                    "--weights-directory " + weights + " is no directory; name one that exists, on a disk with room");
        }
        return weights == null ? WeightPlace.usualDirectory() : weights;
    }

    /** Returns the options of the engine. */
    EngineOptions engine() {
        return new EngineOptions(kind, precision, recompute, true, weightsDirectory(), 0);
    }

    /** Reads the name of an engine. */
    static final class KindConverter implements picocli.CommandLine.ITypeConverter<EngineOptions.Kind> {
        @Override
        public EngineOptions.Kind convert(String value) {
            return switch (value.toLowerCase(Locale.ROOT)) {
                case "compiled" -> EngineOptions.Kind.COMPILED;
                case "reference" -> EngineOptions.Kind.REFERENCE;
                default ->
                    throw new TypeConversionException("`" + value + "` is no engine; there are compiled and reference");
            };
        }
    }

    /** Reads a precision. */
    static final class PrecisionConverter implements picocli.CommandLine.ITypeConverter<Precision> {
        @Override
        public Precision convert(String value) {
            return switch (value.toLowerCase(Locale.ROOT)) {
                case "f32", "fp32", "float32" -> Precision.FLOAT32;
                case "bf16", "bfloat16" -> Precision.BFLOAT16;
                case "fp16", "f16", "float16" -> Precision.HALF;
                case "auto" -> Precision.AUTO;
                default ->
                    throw new TypeConversionException(
                            "`" + value + "` is no precision; there are f32, bf16, fp16 and auto");
            };
        }
    }
}
