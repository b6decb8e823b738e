package dev.samediff.tuning.spark;

import dev.samediff.adapters.InvalidInputException;
import java.util.List;
import java.util.stream.Collectors;

/** What Spark 3.3 needs on JDK 17: packages of the JDK that it reaches into. */
public final class SparkFlags {
    /** Packages that Spark's own {@code JavaModuleOptions} opens. */
    private static final List<String> OPENED = List.of(
            "java.lang",
            "java.lang.invoke",
            "java.lang.reflect",
            "java.io",
            "java.net",
            "java.nio",
            "java.util",
            "java.util.concurrent",
            "java.util.concurrent.atomic",
            "sun.nio.ch",
            "sun.nio.cs",
            "sun.security.action",
            "sun.util.calendar");

    private SparkFlags() {}

    /** Returns the flags for a JVM with a part of Spark in it. */
    public static String all() {
        return OPENED.stream()
                .map(name -> "--add-opens=java.base/" + name + "=ALL-UNNAMED")
                .collect(Collectors.joining(" "));
    }

    /**
     * Checks that this JVM can run Spark.
     *
     * @throws InvalidInputException if Spark is not on the class path, or a flag is missing, with what to type
     */
    public static void require() {
        ClassLoader loader = SparkFlags.class.getClassLoader();
        try {
            Class.forName("org.apache.spark.SparkContext", false, loader);
        } catch (ClassNotFoundException e) {
            throw new InvalidInputException(
                    "Spark is not on the class path; add org.apache.spark:spark-core_2.12:3.3.4,"
                            + " on the command line SAMEDIFF_MAVEN_ARGS=-Pspark samples/run ...");
        }
        Module base = Object.class.getModule();
        List<String> closed = OPENED.stream()
                .filter(name -> !base.isOpen(name, loader.getUnnamedModule()))
                .toList();
        if (!closed.isEmpty()) {
            throw new InvalidInputException("Spark 3.3 on JDK "
                    + Runtime.version().feature()
                    + " needs packages of the JDK opened: " + String.join(", ", closed)
                    + ". Start with SAMEDIFF_JAVA_OPTS=\"" + all() + "\" samples/run ..., or java with these flags");
        }
    }
}
