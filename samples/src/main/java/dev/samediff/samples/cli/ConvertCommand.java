package dev.samediff.samples.cli;

import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.AdapterFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
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

    @Option(names = "--out", paramLabel = "DIR2", required = true, description = "Folder to write.")
    Path out = Path.of("");

    @Override
    int run() throws IOException {
        if (Files.exists(out, LinkOption.NOFOLLOW_LINKS)) {
            throw new InvalidInputException(out + " exists; name another folder with --out");
        }
        AdapterState state = AdapterFolder.load(adapter);
        AdapterFolder.saveAsLora(state, out, AdapterFolder.description(adapter));
        Converted result = new Converted(
                out.toString(),
                state.config().method().name(),
                target,
                state.sites().size());
        print("wrote " + result.layers() + " layers of " + result.from() + " as " + target + " to " + out, result);
        return 0;
    }

    /** The result for machines. */
    record Converted(String folder, String from, Target to, int layers) {}
}
