package dev.samediff.adapters;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Code of a test between tags, to be compared with the blocks of a document. */
final class DocumentedCode {
    private static final Pattern BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

    private final List<String> lines;

    /**
     * @param source a test's file, with {@code // tag::name} and {@code // end::name}
     */
    DocumentedCode(Path source) throws IOException {
        lines = Files.readAllLines(source);
    }

    /** Returns the Java blocks of a document. */
    static List<String> blocks(Path document) throws IOException {
        List<String> blocks = new ArrayList<>();
        Matcher matcher = BLOCK.matcher(Files.readString(document));
        while (matcher.find()) {
            blocks.add(matcher.group(1));
        }
        return blocks;
    }

    /** Returns the lines between the tags, without the indentation of a method. */
    String tagged(String name) {
        StringBuilder text = new StringBuilder();
        boolean inside = false;
        for (String line : lines) {
            if (line.strip().equals("// tag::" + name) || line.strip().equals("// end::" + name)) {
                inside = line.contains("tag::");
            } else if (inside) {
                text.append(line.replaceFirst("^ {8}", "")).append('\n');
            }
        }
        return text.toString();
    }
}
