package dev.samediff.samples.dependencies;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/**
 * The libraries of this build, from the bill of materials that the root leaves in {@code target/bom.json}: what there is, its
 * licences, and what asks for what. What a library is for follows from the scopes in the modules' poms, along the askers.
 */
final class BuiltLibraries {
    private static final List<String> LIBRARY_MODULES =
            List.of(".", "samediff-adapters", "import", "dl4j-integration", "tuning");
    private static final String SAMPLES = "samples";
    private static final String OWN = "dev.samediff";
    /** Whose poms state nothing; what their archives state. */
    private static final Map<String, String> UNSTATED =
            Map.of("org.apache.xbean:xbean-asm9-shaded", "Apache-2.0", "oro:oro", "Apache-1.1");

    private final Map<String, JsonNode> components = new LinkedHashMap<>();
    private final Map<String, List<String>> asked = new LinkedHashMap<>();
    private final Map<String, Library.Use> uses = new LinkedHashMap<>();

    private BuiltLibraries(JsonNode bill) {
        bill.path("components").forEach(component -> {
            if (!component.path("group").asText().equals(OWN)) {
                components.put(component.path("bom-ref").asText(), component);
            }
        });
        bill.path("dependencies")
                .forEach(entry -> asked.put(
                        entry.path("ref").asText(),
                        StreamSupport.stream(entry.path("dependsOn").spliterator(), false)
                                .map(JsonNode::asText)
                                .toList()));
    }

    /** Returns the libraries, or nothing if this build has made no bill. */
    static Optional<SortedSet<Library>> of(Path root) throws IOException {
        Path bill = root.resolve("target/bom.json");
        if (Files.notExists(bill)
                || Files.getLastModifiedTime(bill).compareTo(Files.getLastModifiedTime(root.resolve("pom.xml"))) < 0) {
            return Optional.empty();
        }
        BuiltLibraries built = new BuiltLibraries(new ObjectMapper().readTree(bill.toFile()));
        for (String module : LIBRARY_MODULES) {
            built.follow(DirectDependency.of(root.resolve(module).resolve("pom.xml")), Library.Use.LIBRARY);
        }
        built.follow(DirectDependency.of(root.resolve(SAMPLES).resolve("pom.xml")), Library.Use.COMMAND_LINE);
        return Optional.of(built.libraries());
    }

    private void follow(List<DirectDependency> dependencies, Library.Use running) {
        for (DirectDependency dependency : dependencies) {
            Library.Use use = switch (dependency.scope()) {
                case "compile", "runtime" -> running;
                case "provided" -> Library.Use.OPTIONAL;
                default -> Library.Use.TEST;
            };
            components.forEach((ref, component) -> {
                if (name(component).equals(dependency.name())) {
                    spread(ref, use);
                }
            });
        }
    }

    private void spread(String start, Library.Use use) {
        Deque<String> next = new ArrayDeque<>(List.of(start));
        while (!next.isEmpty()) {
            String ref = next.pop();
            Library.Use before = uses.get(ref);
            if (components.containsKey(ref) && (before == null || use.compareTo(before) < 0)) {
                uses.put(ref, use);
                next.addAll(asked.getOrDefault(ref, List.of()));
            }
        }
    }

    private SortedSet<Library> libraries() {
        Map<String, Library> byName = new LinkedHashMap<>();
        components.forEach((ref, component) -> {
            Library library = new Library(
                    component.path("group").asText(),
                    component.path("name").asText(),
                    component.path("version").asText(),
                    licence(component),
                    uses.getOrDefault(ref, Library.Use.TEST));
            byName.merge( // native parts are components of their own, of the same name
                    name(component) + ":" + library.version(),
                    library,
                    (a, b) -> a.use().compareTo(b.use()) <= 0 ? a : b);
        });
        SortedSet<Library> libraries = new TreeSet<>(Library.ORDER);
        libraries.addAll(byName.values());
        return libraries;
    }

    private static String name(JsonNode component) {
        return component.path("group").asText() + ":" + component.path("name").asText();
    }

    private static String licence(JsonNode component) {
        String stated = StreamSupport.stream(component.path("licenses").spliterator(), false)
                .map(BuiltLibraries::stated)
                .distinct()
                .collect(Collectors.joining(", "))
                .replace('|', '/');
        return stated.isEmpty() ? UNSTATED.getOrDefault(name(component), "") : stated;
    }

    private static String stated(JsonNode node) {
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
