package dev.samediff.samples.cli;

import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.Approximation;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.ToLora;
import dev.samediff.adapters.io.AdapterFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code convert}: any method's adapter as a plain LoRA. */
@CommandLine.Command(
        name = "convert",
        description =
                "Writes an adapter as a plain LoRA for the unchanged base model. A method that changes the base weight"
                        + " (OLoRA, PiSSA, SORSA) needs twice the rank for it.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {"", "Example:", "  samples/run convert --adapter run1/adapter --to lora --out run1/lora"})
final class ConvertCommand extends Command {
    /** What adapters can be converted to. */
    enum Target {
        lora
    }

    @Option(names = "--adapter", paramLabel = "DIR", required = true, description = "The adapter's folder.")
    Path adapter = Path.of("");

    @Option(
            names = "--to",
            paramLabel = "METHOD",
            defaultValue = "lora",
            description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    Target target = Target.lora;

    @Option(
            names = "--rank",
            paramLabel = "R",
            description = "Rank of the result, by singular values; what is lost is printed. Default: the exact one.")
    @Nullable
    Integer rank;

    @Option(names = "--out", paramLabel = "DIR2", required = true, description = "Folder to write.")
    Path out = Path.of("");

    @Override
    int run() throws IOException {
        if (Files.exists(out, LinkOption.NOFOLLOW_LINKS)) {
            throw new InvalidInputException(out + " exists; name another folder with --out");
        }
        AdapterState state = AdapterFolder.load(adapter);
        Optional<Approximation> smaller = Optional.ofNullable(rank).map(r -> ToLora.ofRank(state, r));
        AdapterFolder.saveAsLora(
                smaller.map(Approximation::state).orElse(state), out, AdapterFolder.description(adapter));
        Converted result = new Converted(
                out.toString(),
                state.config().method().name(),
                target,
                state.sites().size(),
                smaller.map(Approximation::error).orElse(0.0),
                smaller.map(Approximation::errors).orElse(Map.of()));
        print(
                "wrote " + result.layers() + " layers of " + result.from() + " as " + target + " to " + out
                        + smaller.map(ConvertCommand::said).orElse(""),
                result);
        return 0;
    }

    private static String said(Approximation smaller) {
        String worst = smaller.errors().entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(layer ->
                        String.format(Locale.ROOT, ", most in %s (%.2f %%)", layer.getKey(), 100 * layer.getValue()))
                .orElse("");
        return String.format(
                Locale.ROOT, "; %.2f %% of the change (Frobenius norm) is lost%s", 100 * smaller.error(), worst);
    }

    /**
     * The result for machines.
     *
     * @param error relative error of the change over all layers; 0 without {@code --rank}
     * @param errors the same by layer
     */
    record Converted(String folder, String from, Target to, int layers, double error, Map<String, Double> errors) {}
}
