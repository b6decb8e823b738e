package dev.samediff.samples.cli;

import dev.samediff.importer.OnnxVerifier;
import dev.samediff.importer.Verification;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code verify}: does the import compute what ONNX Runtime computes. */
@CommandLine.Command(
        name = "verify",
        description = "Imports a model, runs it on random inputs of several sizes and compares every output with ONNX"
                + " Runtime. Ends with 1 if one differs.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {"", "Example:", "  samples/run verify model.onnx --tolerance 1e-4"})
final class VerifyCommand extends Command {
    @Parameters(paramLabel = "M.onnx", description = "The model.")
    Path model = Path.of("");

    @Option(
            names = "--tolerance",
            paramLabel = "T",
            defaultValue = "1e-4",
            description = "Largest absolute difference that passes. Default: ${DEFAULT-VALUE}.")
    double tolerance;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "0",
            description = "Seed of the inputs. Default: ${DEFAULT-VALUE}.")
    long seed;

    @Override
    int run() {
        Verification result = OnnxVerifier.verify(model, tolerance, seed);
        print(result.toString(), Findings.of(model, result));
        if (!result.passed()) {
            Verification.Comparison worst = result.worst();
            say("error: " + model + " does not compute what ONNX Runtime computes: output `" + worst.output()
                    + "` differs by " + worst.absolute() + " with " + worst.sizes() + ", tolerance " + tolerance);
            return Failure.WORK_FAILED;
        }
        return 0;
    }

    /** The verification for machines. */
    record Findings(
            String file,
            boolean passed,
            double tolerance,
            String worstOutput,
            double worstDifference,
            List<Verification.Comparison> comparisons) {
        static Findings of(Path file, Verification result) {
            return new Findings(
                    file.toString(),
                    result.passed(),
                    result.tolerance(),
                    result.worst().output(),
                    result.worst().absolute(),
                    result.comparisons());
        }
    }
}
