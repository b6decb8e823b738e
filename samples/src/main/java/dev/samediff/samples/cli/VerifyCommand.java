package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.OnnxVerifier;
import dev.samediff.importer.Verification;
import dev.samediff.importer.VerificationPlan;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code verify}: does the import compute what ONNX Runtime computes. */
@CommandLine.Command(
        name = "verify",
        description = "Imports a model, runs it on random inputs of several sizes and compares every output with ONNX"
                + " Runtime, in single and in double precision: a mistake shows in both, rounding in the first only."
                + " Ends with 1 if an output in single precision differs. A TensorFlow graph is compared with ONNX Runtime"
                + " on its translation into ONNX.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {"", "Example:", "  samples/run verify model.onnx --tolerance 1e-4 --shapes batch=2,sequence=128"})
final class VerifyCommand extends Command {
    @Parameters(
            paramLabel = "MODEL",
            description = "An ONNX file, a Hugging Face folder, or a TensorFlow graph: .pb, .pbtxt, SavedModel folder.")
    Path model = Path.of("");

    @Mixin
    GraphOptions graph = new GraphOptions();

    @Option(
            names = "--tolerance",
            paramLabel = "T",
            defaultValue = "1e-4",
            description = "Largest absolute difference that passes; 100 times as much for outputs and weights of half"
                    + " precision. Default: ${DEFAULT-VALUE}.")
    double tolerance;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "0",
            description = "Seed of the inputs. Default: ${DEFAULT-VALUE}.")
    long seed;

    @Option(
            names = "--shapes",
            paramLabel = "NAME=N,...",
            description = "Sizes to run at instead of the chosen ones, by the name of an open dimension in the file, or"
                    + " batch, sequence and past. May be given several times.")
    List<String> shapes = new ArrayList<>();

    @Option(
            names = "--longest",
            paramLabel = "N",
            defaultValue = "512",
            description = "Most tokens of one long text that is tried too, if the model takes so many and they fit into"
                    + " memory; 0: none. Default: ${DEFAULT-VALUE}.")
    long longest;

    @Option(names = "--no-double", description = "Leave out the comparison in double precision.")
    boolean single;

    @Override
    int run() {
        List<Map<String, Long>> sizes =
                shapes.stream().map(VerifyCommand::sizes).toList();
        VerificationPlan plan = new VerificationPlan(tolerance, seed, sizes, longest, !single);
        Verification result = OnnxVerifier.verify(model, graph.chosen(), plan);
        print(result.toString(), Findings.of(model, result));
        if (!result.passed()) {
            Verification.Comparison worst = result.worst();
            say("error: " + model + " does not compute what ONNX Runtime computes: output `" + worst.output()
                    + "` differs by " + worst.absolute() + " with " + worst.sizes() + ", tolerance "
                    + tolerance * worst.leniency());
            return Failure.WORK_FAILED;
        }
        return 0;
    }

    /** Sizes by name: {@code batch=2,sequence=128}. */
    private static Map<String, Long> sizes(String text) {
        Map<String, Long> sizes = new LinkedHashMap<>();
        for (String part : text.split(",", -1)) {
            int equals = part.lastIndexOf('=');
            try {
                sizes.put(
                        part.substring(0, Math.max(0, equals)).strip(),
                        Long.parseLong(part.substring(equals + 1).strip()));
            } catch (NumberFormatException e) {
                throw new InvalidInputException(
                        "--shapes " + text + " is not understood at '" + part
                                + "'; give sizes by name, such as batch=2,sequence=128",
                        e);
            }
        }
        return sizes;
    }

    /** The verification for machines. */
    record Findings(
            String file,
            boolean passed,
            double tolerance,
            String worstOutput,
            double worstDifference,
            List<Verification.Comparison> comparisons,
            List<String> notes) {
        static Findings of(Path file, Verification result) {
            return new Findings(
                    file.toString(),
                    result.passed(),
                    result.tolerance(),
                    result.worst().output(),
                    result.worst().absolute(),
                    result.comparisons(),
                    result.notes());
        }
    }
}
