package dev.samediff.samples.cli;

import dev.samediff.adapters.io.DecompositionFolder;
import dev.samediff.adapters.linalg.SvdChoice;
import dev.samediff.samples.finetune.AdapterStarts;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import picocli.CommandLine.Option;

/** How weights are decomposed where a method starts from their singular values. */
final class StartingOptions {
    private static final String OFF = "off";
    private static final String ON = "on";

    @Option(
            names = "--svd",
            paramLabel = "NAME",
            defaultValue = "auto",
            description =
                    "pissa, sorsa: exact, fast (randomised, within some tenths of a per cent) or auto (exact up to"
                            + " 1024 rows or columns). Default: ${DEFAULT-VALUE}.")
    String svd = "auto";

    @Option(
            names = "--svd-cache",
            paramLabel = "DIR",
            defaultValue = ON,
            description = "Where decompositions of large weights are kept for the next run: a folder, on (in the user's"
                    + " cache, at most 4 GiB) or off. It may be deleted at any time. Default: ${DEFAULT-VALUE}.")
    String cache = ON;

    AdapterStarts starts() {
        return new AdapterStarts(new SvdChoice(SvdChoice.Mode.named(svd), OptionalInt.empty()), folder());
    }

    private Optional<Path> folder() {
        return switch (cache.toLowerCase(Locale.ROOT)) {
            case OFF -> Optional.empty();
            case ON -> Optional.of(DecompositionFolder.ofUser());
            default -> Optional.of(Path.of(cache));
        };
    }
}
