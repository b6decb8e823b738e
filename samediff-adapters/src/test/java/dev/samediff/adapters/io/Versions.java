package dev.samediff.adapters.io;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Files and folders of which one sees whether they are one version as a whole; as a main class, a process that writes them. */
final class Versions {
    private static final int LINES = 500;
    private static final List<String> NAMES = List.of("config", "tensors", "native/config", "native/tensors");

    private Versions() {}

    /** Something to write. */
    enum Kind {
        FILE,
        FOLDER;

        void write(Path target, String version) throws IOException {
            String text = (version + "\n").repeat(LINES);
            if (this == FILE) {
                DurableFiles.write(target, out -> {
                    for (int i = 0; i < LINES; i++) {
                        out.write((version + "\n").getBytes(StandardCharsets.UTF_8));
                    }
                });
                return;
            }
            DurableFiles.writeFolder(target, folder -> {
                Files.createDirectory(folder.resolve("native"));
                for (String name : NAMES) {
                    Files.writeString(folder.resolve(name), text);
                }
            });
        }

        /** Returns the version that is there; fails if it is not one, whole. */
        String read(Path target) throws IOException {
            if (this == FILE) {
                return whole(Files.readString(target));
            }
            return FolderSnapshot.read(target, folder -> {
                Set<String> versions = new TreeSet<>();
                for (String name : NAMES) {
                    versions.add(whole(Files.readString(folder.resolve(name))));
                }
                if (versions.size() != 1) {
                    throw new IllegalStateException("mixed: " + versions);
                }
                return versions.iterator().next();
            });
        }
    }

    private static String whole(String text) {
        List<String> lines = text.lines().toList();
        if (lines.size() != LINES || Set.copyOf(lines).size() != 1) {
            throw new IllegalStateException("not whole: " + lines.size() + " lines of " + Set.copyOf(lines));
        }
        return lines.get(0);
    }

    /** Everything in a folder that writers must not leave: hidden files. */
    static List<String> hidden(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> String.valueOf(entry.getFileName()))
                    .filter(name -> name.startsWith("."))
                    .sorted()
                    .toList();
        }
    }

    /**
     * Writes one version after the other.
     *
     * @param arguments kind, target, name of the writer, number of versions, {@code two} for two renames instead of an exchange
     */
    public static void main(String[] arguments) throws IOException {
        FolderExchange.atomic = !arguments[arguments.length - 1].equals("two");
        Path target = Path.of(arguments[1]);
        System.out.println("begin");
        System.out.flush();
        for (int i = 0; i < Integer.parseInt(arguments[3]); i++) {
            Kind.valueOf(arguments[0]).write(target, arguments[2] + "-" + i);
        }
        System.out.println("end");
    }
}
