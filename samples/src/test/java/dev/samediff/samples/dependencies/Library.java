package dev.samediff.samples.dependencies;

import java.util.Comparator;

/**
 * A library that the build uses.
 *
 * @param group group
 * @param artifact artifact
 * @param version version
 * @param licence licences as its pom states them
 * @param use what it is for
 */
record Library(String group, String artifact, String version, String licence, Use use) {
    static final Comparator<Library> ORDER = Comparator.comparing(Library::use)
            .thenComparing(Library::group)
            .thenComparing(Library::artifact)
            .thenComparing(Library::version);

    /** What a library is for; the first that holds. */
    enum Use {
        /** At compile or run time of a library module: comes with it to every user. */
        LIBRARY("the libraries"),
        /** At run time of the command line. */
        COMMAND_LINE("the command line"),
        /** With {@code --spark} or {@code --ui}, or brought by the user. */
        OPTIONAL("`--spark`, `--ui`, LangChain4j"),
        /** In tests only. */
        TEST("tests");

        private final String words;

        Use(String words) {
            this.words = words;
        }

        String words() {
            return words;
        }
    }

    String row() {
        return "| " + group + ":" + artifact + " | " + version + " | " + licence + " | " + use.words() + " |";
    }
}
