package dev.samediff.samples.dependencies;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.SortedSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * docs/dependencies.md lists what the build uses. After a change of the poms, write it anew:
 *
 * <pre>{@code
 * mvn -B package -Dtest=DependenciesTest -Dsurefire.failIfNoSpecifiedTests=false -Ddependencies.write=true
 * }</pre>
 */
class DependenciesTest {
    private static final String BEGIN = "<!-- made by DependenciesTest: begin -->\n";
    private static final String END = "<!-- made by DependenciesTest: end -->\n";
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Path DOCUMENT = ROOT.resolve("docs/dependencies.md");

    @Test
    void the_document_lists_every_library_with_version_and_licence() throws IOException {
        SortedSet<Library> libraries = built();
        assertThat(libraries)
                .hasSizeGreaterThan(100)
                .noneMatch(library -> library.licence().isBlank());
        String text = Files.readString(DOCUMENT);
        String expected =
                text.substring(0, text.indexOf(BEGIN)) + BEGIN + table(libraries) + text.substring(text.indexOf(END));
        if (Boolean.getBoolean("dependencies.write")) {
            Files.writeString(DOCUMENT, expected);
        }
        assertThat(Files.readString(DOCUMENT)).isEqualTo(expected);
    }

    @Test
    void versions_with_known_faults_are_not_among_them() throws IOException {
        for (Library library : built()) {
            String newer = KnownFaults.mendedIn(library);
            assertThat(newer)
                    .as("%s: docs/dependencies.md, Known faults", library)
                    .isEmpty();
        }
    }

    private static SortedSet<Library> built() throws IOException {
        assumeTrue(
                System.getProperty("os.name").equals("Linux")
                        && System.getProperty("os.arch").equals("amd64"),
                "other platforms have other native libraries");
        Optional<SortedSet<Library>> libraries = BuiltLibraries.of(ROOT);
        assumeTrue(
                libraries.isPresent(), "this build has no bill of materials: build all modules, to the phase package");
        boolean extended =
                libraries.get().stream().anyMatch(library -> library.artifact().startsWith("nd4j-cuda"));
        assumeTrue(!extended, "a build with the profile cuda has more libraries");
        return libraries.get();
    }

    private static String table(SortedSet<Library> libraries) {
        String counts = BuiltLibraries.counts(libraries).entrySet().stream()
                .map(entry -> entry.getValue() + " for " + entry.getKey().words())
                .collect(Collectors.joining(", "));
        return "\n" + counts + ".\n\n| library | version | licence | for |\n|---|---|---|---|\n"
                + libraries.stream().map(Library::row).collect(Collectors.joining("\n")) + "\n\n";
    }
}
