package dev.samediff.samples.dependencies;

import java.util.Arrays;
import java.util.List;

/** Least versions of libraries, below which faults are published; what they are, docs/dependencies.md says. */
final class KnownFaults {
    private record Least(String prefix, String version) {}

    private static final List<Least> LEAST = List.of(
            new Least("ch.qos.logback:", "1.5.25"),
            new Least("org.apache.commons:commons-lang3", "3.18.0"),
            new Least("io.netty:netty-", "4.1.129"),
            new Least("com.fasterxml.jackson.core:jackson-core", "2.21.1"),
            new Least("com.fasterxml.jackson.core:jackson-databind", "2.21.1"),
            new Least("org.apache.spark:", "3.3.4"),
            new Least("io.vertx:", "3.9.16"),
            new Least("org.apache.commons:commons-compress", "1.26.0"),
            new Least("org.apache.commons:commons-text", "1.10.0"),
            new Least("commons-net:commons-net", "3.9.0"),
            new Least("com.google.protobuf:protobuf-java", "3.25.5"),
            new Least("commons-io:commons-io", "2.14.0"),
            new Least("org.xerial.snappy:snappy-java", "1.1.10.4"),
            new Least("org.apache.avro:", "1.11.4"),
            new Least("org.apache.ivy:ivy", "2.5.2"),
            new Least("org.apache.hadoop:hadoop-client", "3.3.6"),
            new Least("org.apache.logging.log4j:", "2.25.4"),
            new Least("at.yawk.lz4:lz4-java", "1.10.1"),
            new Least("org.lz4:lz4-java", "1.10.1"));

    private KnownFaults() {}

    /** Returns the version from which on nothing is known, if a library is older; else an empty text. */
    static String mendedIn(Library library) {
        String name = library.group() + ":" + library.artifact();
        return LEAST.stream()
                .filter(least -> name.startsWith(least.prefix) && !name.contains(":netty-tcnative"))
                .filter(least -> compare(library.version(), least.version) < 0)
                .map(Least::version)
                .findFirst()
                .orElse("");
    }

    static int compare(String a, String b) {
        return Arrays.compare(numbers(a), numbers(b));
    }

    private static int[] numbers(String version) {
        return Arrays.stream(version.split("[.-]"))
                .filter(part -> part.matches("\\d+"))
                .mapToInt(Integer::parseInt)
                .toArray();
    }
}
