package dev.samediff.adapters.io;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Names beside a target, hidden and unguessable: {@code .<target>.<kind>-<pid>-<start time>-<128 random bits>}. Whoever holds the
 * target's lock knows that nobody writes under such a name: what has one then is left over from a writer that died.
 */
final class TemporaryName {
    /** New content that is not complete. */
    static final String WRITING = "writing";

    /** The old folder, between two renames. */
    static final String REPLACED = "replaced";

    private static final String LOCK = ".lock";
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final Pattern NAME =
            Pattern.compile("\\.(.+)\\.(" + WRITING + "|" + REPLACED + ")-\\d+-[0-9a-z]+-[0-9a-f]{32}");

    /** File systems allow 255 bytes; the rest of the name needs 80. */
    private static final int LONGEST_TARGET = 150;

    private TemporaryName() {}

    /** Returns a new name beside a target. */
    static Path beside(Path target, String kind) {
        byte[] random = new byte[16];
        RANDOM.nextBytes(random);
        return target.resolveSibling("." + shortened(target) + "." + kind + "-" + Owner.mark() + "-"
                + HexFormat.of().formatHex(random));
    }

    /** Returns the name of a target's lock file. */
    static Path lock(Path target) {
        return target.resolveSibling("." + shortened(target) + LOCK);
    }

    /** Returns what writers of a target left, or are writing. */
    static List<Path> of(Path target, String kind) throws IOException {
        String expected = shortened(target);
        Path folder = target.getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> siblings = Files.list(folder)) {
            return siblings.filter(sibling -> {
                        Matcher name = NAME.matcher(String.valueOf(sibling.getFileName()));
                        return name.matches()
                                && name.group(1).equals(expected)
                                && name.group(2).equals(kind);
                    })
                    .sorted()
                    .toList();
        }
    }

    /** Returns the target, as it is shortened, that a name belongs to; nothing if it is no temporary name. */
    static Optional<String> target(Path path) {
        Matcher name = NAME.matcher(String.valueOf(path.getFileName()));
        return name.matches() ? Optional.of(name.group(1)) : Optional.empty();
    }

    /** Returns the target, as it is shortened, that a lock file belongs to by its name. */
    static Optional<String> locked(Path path) {
        String name = String.valueOf(path.getFileName());
        boolean lock = name.startsWith(".") && name.endsWith(LOCK) && name.length() > 1 + LOCK.length();
        return lock ? Optional.of(name.substring(1, name.length() - LOCK.length())) : Optional.empty();
    }

    static boolean isShortened(String name) {
        return name.matches(".*~[0-9a-f]{32}");
    }

    private static String shortened(Path target) {
        String name = String.valueOf(target.getFileName());
        if (name.getBytes(StandardCharsets.UTF_8).length <= LONGEST_TARGET) {
            return name;
        }
        return name.substring(0, name.offsetByCodePoints(0, Math.min(20, name.codePointCount(0, name.length())))) + "~"
                + Sha256.of(name.getBytes(StandardCharsets.UTF_8)).substring(0, 32);
    }
}
