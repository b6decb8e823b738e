package dev.samediff.samples.dependencies;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/**
 * The libraries of this build: which, from what {@code dependency:list} left in {@code target/dependencies.txt} of every module;
 * their licences, from the bill of materials in {@code target/bom.json} of the root.
 */
final class BuiltLibraries {
    private static final List<String> LIBRARY_MODULES =
            List.of("samediff-adapters", "import", "dl4j-integration", "tuning");
    private static final String SAMPLES = "samples";
    private static final Pattern LINE =
            Pattern.compile("\\s*([\\w.-]+):([\\w.-]+):(?:[\\w.-]+:)+?([\\w.-]+):(compile|runtime|provided|test)\\b.*");
    private static final String OWN = "dev.samediff";

    private BuiltLibraries() {}

    /** Returns the libraries, or nothing if this build did not list them. */
    static Optional<SortedSet<Library>> of(Path root) throws IOException {
        Path bill = root.resolve("target/bom.json");
        List<Path> lists = new ArrayList<>();
        LIBRARY_MODULES.forEach(module -> lists.add(list(root, module)));
        lists.add(list(root, SAMPLES));
        if (!isCurrent(root, bill) || !lists.stream().allMatch(list -> isCurrent(root, list))) {
            return Optional.empty();
        }
        Map<String, Library.Use> uses = new LinkedHashMap<>();
        for (Path list : lists) {
            boolean isLibrary = !list.equals(list(root, SAMPLES));
            for (String line : Files.readAllLines(list)) {
                Matcher matcher = LINE.matcher(line);
                if (matcher.matches() && !matcher.group(1).equals(OWN)) {
                    String key = matcher.group(1) + ":" + matcher.group(2) + ":" + matcher.group(3);
                    uses.merge(key, use(matcher.group(4), isLibrary), (a, b) -> a.compareTo(b) < 0 ? a : b);
                }
            }
        }
        Map<String, String> licences = licences(bill);
        SortedSet<Library> libraries = new TreeSet<>(Library.ORDER);
        uses.forEach((key, use) -> {
            String[] parts = key.split(":");
            libraries.add(new Library(parts[0], parts[1], parts[2], licences.getOrDefault(key, ""), use));
        });
        return Optional.of(libraries);
    }

    /** Returns whether a file was made by the poms as they are now. */
    private static boolean isCurrent(Path root, Path file) {
        try {
            return Files.getLastModifiedTime(file).compareTo(Files.getLastModifiedTime(root.resolve("pom.xml"))) >= 0;
        } catch (IOException e) {
            return false;
        }
    }

    private static Path list(Path root, String module) {
        return root.resolve(module).resolve("target/dependencies.txt");
    }

    private static Library.Use use(String scope, boolean isLibrary) {
        return switch (scope) {
            case "compile", "runtime" -> isLibrary ? Library.Use.LIBRARY : Library.Use.COMMAND_LINE;
            case "provided" -> Library.Use.OPTIONAL;
            default -> Library.Use.TEST;
        };
    }

    private static Map<String, String> licences(Path bill) throws IOException {
        Map<String, String> licences = new LinkedHashMap<>();
        for (JsonNode component : new ObjectMapper().readTree(bill.toFile()).path("components")) {
            String names = StreamSupport.stream(component.path("licenses").spliterator(), false)
                    .map(BuiltLibraries::licence)
                    .distinct()
                    .collect(Collectors.joining(", "));
            licences.put(
                    component.path("group").asText() + ":"
                            + component.path("name").asText() + ":"
                            + component.path("version").asText(),
                    names.replace('|', '/'));
        }
        return licences;
    }

    private static String licence(JsonNode node) {
        if (node.has("expression")) {
            return node.path("expression").asText();
        }
        JsonNode licence = node.path("license");
        return licence.path("id").asText(licence.path("name").asText());
    }

    /** Returns how many libraries are for what. */
    static Map<Library.Use, Long> counts(SortedSet<Library> libraries) {
        Map<Library.Use, Long> counts = new EnumMap<>(Library.Use.class);
        libraries.forEach(library -> counts.merge(library.use(), 1L, Long::sum));
        return counts;
    }
}
